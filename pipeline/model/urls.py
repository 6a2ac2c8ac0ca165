"""The three forms of a URL: raw (as written), fetch (what is asked), identity (what it is about).

fetch: trimmed, entities undone once, relative resolved against the site, normalised by a WHATWG parser with IDNA, user
info and fragment dropped. identity: http as https, no `www.`, known tracking parameters dropped, query sorted. The
whole query is never dropped; path case and `//` are kept, since either may name another page.
Computed once for each distinct URL, never for each mention.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import ip_address
from typing import NamedTuple

import can_ada
import tldextract

from pipeline.model.text import EDGE_SPACE, undo_entities

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# The list bundled with the library, and only that: no look-up, no cache on disk, the same answer everywhere.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

URL_MACROS = r"""
create or replace macro is_plain_url(raw) as
    regexp_full_match(
        raw,
        'https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/[A-Za-z0-9_~!$()*+,:@/.=-]*'
    )
    and not contains(raw, '/.')
    and not contains(raw, 'xn--');
create or replace macro plain_url(raw) as case when is_plain_url(raw) then raw end;
create or replace macro plain_host(raw) as split_part(raw, '/', 3);
create or replace macro plain_identity(raw) as
    case
        when contains(raw, '://www.')
            then regexp_replace(raw, '^https?://(?:www\.)*((?:[^/.]+\.)+[^/.]+/)', 'https://\1')
        when starts_with(raw, 'https') then raw
        else 'https' || raw[5:]
    end;
create or replace macro url_host(url) as regexp_extract(url, '^https?://(\[[^\]]*\]|[^/:?#]+)', 1);
create or replace macro is_door(place) as
    regexp_matches(
        lower(place),
        '(^|[/._-])(log-?in|sign-?in|sign-?on|sso|auth|oauth2?|account|consent|cookies?|subscribe|paywall|captcha'
        || '|challenge)([/._?&=-]|$)'
    );
"""
"""DuckDB macros, in every session. The plain ones are for the many URLs that a WHATWG parser leaves as they are and
that have no query: the fetch form of a plain URL is its text. `url_forms` says what holds; a property test holds them
together. A door is where a site sends every stranger, to log in or to consent: who ends there has lost nothing."""


@dataclass(frozen=True, slots=True)
class SiteBase:
    """Where a site is published: relative URLs of its files are resolved against it."""

    url: str
    base: str = ""

    def resolve(self, reference: str) -> str:
        """`/assets/x.png` stands below the site's base path, as Jekyll's `relative_url` puts it."""
        root = self.url.rstrip("/")
        base = "/" + self.base.strip("/") if self.base.strip("/") else ""
        if reference.startswith("//"):
            return root.partition("//")[0] + reference
        if reference.startswith("/"):
            inside = reference == base or reference.startswith(base + "/")
            return root + (reference if inside else base + reference)
        return f"{root}{base}/{reference}"


class UrlForms(NamedTuple):
    """All that is known of a URL from its text alone.

    `problem` is None for a URL that can be asked, else empty | backslash | control_character | scheme_unsupported |
    relative | invalid; then `fetch_url` is the trimmed text and the host is empty. `stripped_userinfo` tells that a
    user name or password was written into it and left out.
    """

    fetch_url: str
    identity_url: str
    host: str
    registrable_domain: str
    problem: str | None = None
    stripped_userinfo: bool = False


def url_forms(raw: str, site: SiteBase | None = None) -> UrlForms:
    """Every form of the URL written as `raw` in a file of `site`. Never raises: a bad URL has a `problem`."""
    text = (undo_entities(raw) if "&" in raw else raw).strip(EDGE_SPACE)
    # Each look below is one pass in C: for most URLs they are all that comes before the parser.
    if "\\" in text:
        return _unusable(text, "backslash")
    if not text.isprintable() and _CONTROL.search(text):
        return _unusable(text, "control_character")
    if not text.startswith(("https://", "http://")):
        scheme = _SCHEME.match(text)
        if scheme and scheme[1].lower() not in ("http", "https"):
            return _unusable(text, "scheme_unsupported")
        if not scheme:
            if not text:
                return _unusable(text, "empty")
            if "://" in text:
                return _unusable(text, "invalid")
            if site is None:
                return _unusable(text, "relative")
            text = site.resolve(text)
    try:
        url = can_ada.parse(text)
    except ValueError:
        return _unusable(text, "invalid")
    host = url.hostname
    fetch_url = url.href
    if not host or not fetch_url.startswith(("https://", "http://")):
        return _unusable(text, "invalid")
    stripped = False
    if "@" in text and url.has_credentials():
        stripped = True
        url.username = url.password = ""
        fetch_url = url.href
    if "#" in text:
        url.hash = ""
        fetch_url = url.href
    # As UrlForms(…) does it, without the call in between.
    return tuple.__new__(
        UrlForms, (fetch_url, identity_form(fetch_url), host, registrable_domain(host), None, stripped)
    )


def identity_form(fetch_url: str) -> str:
    """What the fetch form `fetch_url` is about, whichever way it was reached. Idempotent."""
    rest = fetch_url[fetch_url.index("://") + 3 :]
    if "#" in rest:
        rest = rest.partition("#")[0]
    query = ""
    if "?" in rest:
        rest, _, query = rest.partition("?")
        kept = [part for part in query.split("&") if part and not _is_tracking(part.partition("=")[0])]
        if len(kept) > 1:
            kept.sort()
        query = f"?{'&'.join(kept)}" if kept else ""
    while rest.startswith("www.") and rest.partition("/")[0].count(".") > 1:
        rest = rest.removeprefix("www.")
    return f"https://{rest}{query}"


@lru_cache(maxsize=65_536)
def registrable_domain(host: str) -> str:
    """The domain a registrant holds: `www.bbc.co.uk` → `bbc.co.uk`. The last two labels where the list knows no
    suffix; the address itself for an IP literal."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        pass
    host = host.rstrip(".").lower()
    known = _SUFFIXES(host).top_domain_under_public_suffix
    return known or ".".join(host.split(".")[-2:])


@cache
def _tracking() -> tuple[frozenset[str], tuple[str, ...]]:
    lines = files("pipeline.model").joinpath("tracking_parameters.txt").read_text("utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    return (
        frozenset(name for name in names if not name.endswith("*")),
        tuple(name[:-1] for name in names if name.endswith("*")),
    )


@lru_cache(maxsize=4_096)
def _is_tracking(name: str) -> bool:
    exact, prefixes = _tracking()
    lower = name.lower()
    return lower in exact or lower.startswith(prefixes)


def _unusable(text: str, problem: str) -> UrlForms:
    return UrlForms(text, text, "", "", problem)

"""One request and what came of it, in the same words for both clients.

Belongs here: the question, the answer, and the reading of answer headers. Does not belong here: a client, or what to do
next about an answer (`journey`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import NamedTuple

from pipeline.links.route import Route
from pipeline.links.vocabulary import ErrorClass, Method

ASKED_BYTES = 16_384
"""A page's title and fingerprint are read from so much of it."""
MAX_BODY_BYTES = 65_536
MAX_HEADER_BYTES = 65_536
ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_MARKUP = re.compile(rb"<(script|style|head|title)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_RANGE_TOTAL = re.compile(r"bytes\s+(?:\d+-\d+|\*)/(\d+)")


class Question(NamedTuple):
    """One request to be made, on a route the guard has passed. `is_last`: none follows on its connection soon."""

    url: str
    method: Method
    ranged: bool
    route: Route
    is_last: bool = False


class Timings(NamedTuple):
    """Milliseconds since the request began; connect and TLS are the length of their phase."""

    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None


class Answer(NamedTuple):
    """What came back: a status with headers and the start of a body, or an error (or both, where it broke off)."""

    status: int | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    """Of the final answer, names in lower case; a repeated header keeps its first value."""
    body: bytes = b""
    error: ErrorClass | None = None
    detail: str | None = None
    tls_verify: int | None = None
    ip: str | None = None
    http_version: str | None = None
    timings: Timings = Timings()

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")

    @property
    def content_length(self) -> int | None:
        """The size of the whole: a partial answer names it in Content-Range."""
        partial = self.headers.get("content-range")
        whole = _RANGE_TOTAL.match(partial) if partial else None
        text = whole[1] if whole else self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def retry_after(self, now: datetime) -> float | None:
        """Seconds to wait; a date is measured against the server's own clock where it tells it."""
        text = self.headers.get("retry-after")
        if text is None:
            return None
        server_time = _http_date(self.headers.get("date", ""))
        return parse_retry_after(text, server_time or now)

    @property
    def challenge(self) -> str | None:
        return recognised_challenge(self.status, self.headers, self.body)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds to wait: a number, an HTTP date, or the non-standard `1m30s`. None where it cannot be read."""
    text = (text or "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    span = _SPAN.fullmatch(text.lower())
    if span:
        hours, minutes, seconds = (float(part or 0) for part in span.groups())
        return hours * 3600 + minutes * 60 + seconds
    at = _http_date(text)
    return None if at is None else max(0.0, (at - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def recognised_challenge(status: int | None, headers: Mapping[str, str], body: bytes) -> str | None:
    """The name of the gatekeeper whose test page this is, or None. Told by headers; a title alone only together with
    the gatekeeper's own server name."""
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return "cloudflare"
    if headers.get("x-amzn-waf-action", "").lower() in ("challenge", "captcha"):
        return "aws_waf"
    if headers.get("x-vercel-mitigated", "").lower() in ("challenge", "deny"):
        return "vercel"
    if headers.get("sg-captcha", "").lower() == "challenge":
        return "siteground"
    if "x-iinfo" in headers and b"_Incapsula_Resource" in body and _is_bare(body):
        return "imperva"
    if status is None or status < 400:
        return None
    server = headers.get("server", "").lower()
    if "cloudflare" in server and b"<title>Just a moment..." in body:
        return "cloudflare"
    if "x-datadome" in headers or "datadome" in server:
        return "datadome"
    if "x-sucuri-block" in headers:
        return "sucuri"
    if "ddos-guard" in server:
        return "ddos_guard"
    return None


def _is_bare(body: bytes) -> bool:
    """Nothing to read but scripts: the test page itself, not a page of the site with the gatekeeper's script in it."""
    return not re.search(rb"\w", _MARKUP.sub(b"", body))


def header_text(raw: bytes) -> str:
    """A header as text: UTF-8 where it is, else Latin-1, which never fails."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")

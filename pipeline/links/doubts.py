"""Whether a page that was sent with a 200 is the page: what raises a doubt, and how it is settled.

A page that says "not found" with a 200 is known by comparison: with what its host sends for a path that cannot exist
(Bar-Yossef and others, 2004). That costs a request, so it is made once a host and a night, and only where something is
odd: two URLs with one page, a redirect to somewhere that has nothing of the asked path, a title with the words of an
error, another page under another title than on the last good night (a parked domain begins so). Words alone never make
a soft 404. What is doubted with reason is shown to the second client before it counts.

Belongs here: what to ask because of a doubt. Does not belong here: the signals themselves; `sql/links/verdicts.sql` has
them, and may find that a doubt was for nothing.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipeline.links.plan import DueUrl

MANY = 3
"""So many URLs of a host that end at one place, or have one page, are a pile."""
_SUCCESS = range(200, 300)
_WORDS_OF_AN_ERROR = re.compile(
    # In lower case, since every title of a night is read: ignoring case takes seven times as long.
    r"404|410|not[ -]?found|no longer|not exist|n[’']t exist|be found|missing|error|oops|gefunden|verfügbar|introuvable"
    r"|existe|encontrad|trovat|niet gevonden|hittades|ikke f[uø]n|znaleziono|nenalezen|не найден|不存在|找不到"
    r"|見つかりません|찾을 수 없"
)
_NOT_FOUND_PATH = re.compile(r"(^|/)404([/.]|$)|not[-_]?found", re.IGNORECASE)
_PLACE = re.compile(r"https?://(?:www\.)*([^/?#]*?)(?::80|:443)?(?=[/?#]|$)([^#]*)")
_EXTENSION = re.compile(r"\.\w{1,5}$")


class Seen(Protocol):
    """What is read of the observation of a final answer."""

    @property
    def request_url(self) -> str: ...
    @property
    def http_status(self) -> int | None: ...
    @property
    def challenge(self) -> str | None: ...
    @property
    def fingerprint(self) -> str | None: ...
    @property
    def title(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Raised:
    """What a doubt asks for: other URLs' or this one's second look, and the host's random path."""

    second_looks: tuple[DueUrl, ...] = ()
    probe: DueUrl | None = None


_NOTHING = Raised()


@dataclass(slots=True)
class DoubtedHost:
    """What a host has sent so far."""

    pages: defaultdict[str, list[DueUrl]] = field(default_factory=lambda: defaultdict(list))
    """The URLs with a page, by its fingerprint."""
    targets: defaultdict[str, list[DueUrl]] = field(default_factory=lambda: defaultdict(list))
    """The redirected URLs, by where they ended."""
    is_probed: bool = False
    nowhere: str | None = None
    """The fingerprint of the page that a path gets which cannot exist."""
    looked: set[str] = field(default_factory=set)
    """The URLs whose second look was asked for."""


class Doubts:
    """The doubts of one night, by host."""

    def __init__(self, salt: str, *, known: Mapping[str, DoubtedHost] | None = None) -> None:
        self._salt = salt
        self._hosts: defaultdict[str, DoubtedHost] = defaultdict(DoubtedHost, known or {})

    def known(self, netlocs: Iterable[str]) -> dict[str, DoubtedHost]:
        """What these hosts have sent, by the part of their URLs that names host and port."""
        return {netloc: self._hosts[netloc] for netloc in netlocs if netloc in self._hosts}

    def hear(self, due: DueUrl, seen: Seen) -> Raised:
        """Take note of a good answer of the first client to a due URL."""
        host = self._hosts[_netloc(due.fetch_url)]
        doubted: list[DueUrl] = []
        is_odd = bool(seen.title and _WORDS_OF_AN_ERROR.search(seen.title.casefold()))
        if seen.request_url != due.fetch_url:
            asked, final = _place(due.fetch_url), _place(seen.request_url)
            if final == asked or _is_home(asked):
                pass
            elif _is_home(final) or _NOT_FOUND_PATH.search(final):
                doubted.append(due)
            elif not _keeps_name(asked, final):
                pile = host.targets[final]
                pile.append(due)
                doubted += pile if len(pile) >= MANY else []
                is_odd = is_odd or seen.fingerprint is not None
        if seen.fingerprint is not None:
            is_odd = is_odd or _became_another(due, seen)
            same = host.pages[seen.fingerprint]
            is_odd = is_odd or any(_place(other.fetch_url) != _place(due.fetch_url) for other in same)
            same.append(due)
            doubted += same if len(same) >= MANY else []
            if seen.fingerprint == host.nowhere:
                doubted.append(due)
        probe = None
        if is_odd and not host.is_probed and not _is_home(_place(due.fetch_url)):
            host.is_probed = True
            probe = replace(due, fetch_url=self._nowhere(due), asked_as="page")
        return Raised(self._to_look_at(host, doubted), probe) if doubted or probe else _NOTHING

    def hear_probe(self, due: DueUrl, seen: Seen) -> tuple[DueUrl, ...]:
        """Take note of what the random path of a host got; the URLs that got the same."""
        host = self._hosts[_netloc(due.fetch_url)]
        if seen.http_status not in _SUCCESS or seen.challenge or seen.fingerprint is None:
            return ()
        host.nowhere = seen.fingerprint
        return self._to_look_at(host, host.pages[seen.fingerprint])

    def _to_look_at(self, host: DoubtedHost, doubted: list[DueUrl]) -> tuple[DueUrl, ...]:
        fresh = {
            due.url_id: due for due in doubted if due.url_id not in host.looked and not _is_home(_place(due.fetch_url))
        }
        host.looked.update(fresh)
        return tuple(fresh.values())

    def _nowhere(self, due: DueUrl) -> str:
        """A path that cannot exist: the same in a re-run of this refresh, and known to nobody before."""
        scheme, netloc = due.fetch_url.partition(":")[0], _netloc(due.fetch_url)
        token = hashlib.sha256(f"{self._salt}\n{netloc}".encode()).hexdigest()[:24]
        return f"{scheme}://{netloc}/{token}"


def netloc_of(due: DueUrl) -> str:
    """The host and port by which its doubts are kept."""
    return _netloc(due.fetch_url)


def _became_another(due: DueUrl, seen: Seen) -> bool:
    """A page changes its words every other day, but seldom with its title."""
    return (
        due.page_fingerprint is not None
        and seen.fingerprint != due.page_fingerprint
        and (seen.title or "") != (due.page_title or "")
    )


def _netloc(url: str) -> str:
    return url.split("/", 3)[2].partition("?")[0]


def _place(url: str) -> str:
    """Two URLs are one place when they differ only in scheme, leading www., default port or fragment."""
    parts = _PLACE.match(url)
    return parts[1] + parts[2] if parts else url


def _is_home(place: str) -> bool:
    return re.fullmatch(r"[^/?]*/?(index\.\w+)?", place) is not None


def _keeps_name(asked: str, final: str) -> bool:
    """The last part of the asked path is in the new one too: the page was renamed, not lost."""
    name = _EXTENSION.sub("", asked.partition("?")[0].rstrip("/").rpartition("/")[2])
    return len(name) > 3 and name.casefold() in final.casefold()

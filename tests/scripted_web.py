"""A web that is a plain table: 500 links of 125 hosts, and what each truly is on each of 60 nights.

Pages flap, die, come back, move, shut their doors, lose their certificates, and whole domains vanish or get parked; on
two nights our own network is down. What is due, what a night's answers amount to and what state a link is in is decided
by the product: its SQL, its log, its doubts and its breaker. Only the answers are made here, as the sweep would have
written them down.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.assets.links import due_tonight
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import Refresh, begin_refresh
from pipeline.lake.relations import relation
from pipeline.lake.snapshots import Snapshots, TableFile
from pipeline.links import Client, DueUrl, ErrorClass, Kind, Method
from pipeline.links.breaker import Breaker, controls_failed
from pipeline.links.doubts import Doubts
from pipeline.links.observation import Observation, as_table
from pipeline.model.ids import content_id
from pipeline.model.tables import TABLES
from pipeline.settings import Executor, Settings, Source
from tests.tables import give, hand_made

FIRST = date(2026, 1, 1)
NIGHTS = 60
CONTROLS_FAIL, FAILS_IN_MID_SWEEP = 20, 41
"""The nights of the two local outages: the one is there when the sweep begins, the other comes while it is at work."""
VOID = (CONTROLS_FAIL, FAILS_IN_MID_SWEEP)
DEADLY = frozenset({"gone", "server_error", "vanished", "refused", "to_root", "parked"})
"""What a link is that is dead."""
VERDICTS = {
    "alive": "alive",
    "moved": "moved",
    "gone": "gone",
    "server_error": "server_error",
    "blocked": "blocked",
    "vanished": "unreachable",
    "refused": "unreachable",
    "to_root": "soft_404",
    "parked": "soft_404",
    "insecure": "insecure",
    "busy": "postponed",
}
"""What it is to be called on a night on which it is asked."""
_HOSTS = {
    "steady": 43,
    "flapping": 17,
    "gone": 12,
    "server_error": 5,
    "vanished": 8,
    "refused": 4,
    "to_root": 8,
    "parked": 6,
    "moved": 6,
    "blocked": 6,
    "insecure": 4,
    "revived": 6,
}
_LINKS_OF_A_HOST = 4


@dataclass(frozen=True, slots=True)
class Link:
    """A link and its script: what its host is made for, and from which night on."""

    url: str
    host: str
    script: str
    turns: int

    @property
    def url_id(self) -> str:
        return content_id("url", self.url)

    def truth(self, night: int) -> str:
        """What the link is on that night: alive, or the name of what ails it."""
        match self.script:
            case "steady":
                return "busy" if (night + self.turns) % 31 == 0 and self.turns % 5 == 0 else "alive"
            case "flapping":  # bad for five nights at most: never long enough for three strikes
                phase = (night + self.turns) % 14
                return ("server_error", "refused", "gone")[self.turns % 3] if phase < 1 + self.turns % 5 else "alive"
            case "revived":
                return "gone" if self.turns <= night < self.turns + 25 else "alive"
            case _:
                return self.script if night >= self.turns else "alive"

    def page(self, night: int) -> tuple[str, str]:
        """Title and fingerprint: the words of some pages change every night, now and then the title too."""
        edition = night if self.turns % 2 else 0
        return f"Story of {self.url} {night // 40 if self.turns % 3 else ''}", _digest(f"{self.url} {edition}")


def links() -> list[Link]:
    """All links. Where a whole host has one fate, all its links meet it on one night."""
    found, number = [], 0
    for script, count in _HOSTS.items():
        for _ in range(count):
            number += 1
            host = f"host{number}.example"
            for place in range(_LINKS_OF_A_HOST):
                together = script in ("vanished", "refused", "parked", "insecure")
                turns = 2 + _number(host if together else f"{host}{place}") % 30
                found.append(Link(f"https://{host}/stories/{number}-{place}", host, script, turns))
    return found


@dataclass(frozen=True, slots=True)
class Night:
    """What the product decided: the URLs that were due, the states after the night, and why the night is void."""

    due: tuple[str, ...]
    states: dict[str, dict[str, object]]
    void_reason: str | None


def run(folder: Path, web: Sequence[Link], nights: int = NIGHTS) -> Iterator[Night]:
    """Live through the nights in a lake below `folder`."""
    give_urls(folder, web)
    settings = settings_of(folder)
    by_id = {link.url_id: link for link in web}
    last: tuple[tuple[str, ...], str | None] | None = None
    for night in range(nights + 1):
        with begin_refresh(settings, f"night {night}", f"{FIRST + timedelta(night)}T02:00:00Z") as refresh:
            due = due_tonight(refresh)
            if last is not None:
                yield Night(last[0], states(folder), last[1])
            if night < nights:
                rows, void_reason = _answers(refresh, night, due, by_id)
                refresh.logs.link_checks.append(as_table(rows))
                refresh.record("swept", urls_due=len(due), void_reason=void_reason)
                last = tuple(url.url_id for url in due), void_reason
        refresh.logs.link_checks.compact()


def settings_of(folder: Path) -> Settings:
    source = Source(name="none", path=folder)
    return Settings(data_dir=folder, sources=(source,), executor=Executor(kind="serial"))


def give_urls(folder: Path, web: Sequence[Link]) -> None:
    """Stage the links as the URLs of the current files; of all else that the files hold, nothing."""
    snapshots = Snapshots(folder / "lake" / "tables")
    rows = [
        {"url_id": link.url_id, "fetch_url": link.url, "identity_url": link.url, "host": link.host}
        | {"registrable_domain": link.host, "asked_as": "page", "use_count": 1}
        for link in web
    ]
    staged = {}
    with hand_made({}, folder / "scratch") as session:
        for name in [name for name in TABLES if name.startswith("coverage.")]:
            give(session, name, rows if name == "coverage.urls" else [])
            target = snapshots.target("given", name)
            staged[name] = TableFile(
                f"given/{target.name}", session.write(name, relation(name).key, target), 1, "given"
            )
    snapshots.stage("given", staged)


def states(folder: Path) -> dict[str, dict[str, object]]:
    """The states that are staged, by URL."""
    snapshots = Snapshots(folder / "lake" / "tables")
    table = pq.read_table(snapshots.path(snapshots.staged().tables["links.states"]))
    return {str(row.pop("url_id")): row for row in table.to_pylist()}


def _answers(
    refresh: Refresh, night: int, due: Sequence[DueUrl], by_id: dict[str, Link]
) -> tuple[list[Observation], str | None]:
    """The rows of the night, and why it is void."""
    pen = _Pen(refresh)
    control = DueUrl(content_id("url", "https://control.example/"), "https://control.example/", "control.example")
    if night == CONTROLS_FAIL:
        seen = pen.row(control, Kind.CONTROL, Client.LIBCURL, error=ErrorClass.CONNECT_TIMEOUT)
        reason = controls_failed([[seen]])
        return [seen, *(pen.row(url, Kind.POSTPONED, None) for url in due)], reason
    rows = [pen.row(control, Kind.CONTROL, Client.LIBCURL, status=200)]
    breaker, doubts, void_reason = Breaker(0.3), Doubts(refresh.refresh_id), None
    looked_at: set[str] = set()
    for place, url in enumerate(due):
        if void_reason is not None:
            rows.append(pen.row(url, Kind.POSTPONED, None))
            continue
        link = by_id[url.url_id]
        is_down = night == FAILS_IN_MID_SWEEP and place > len(due) // 4
        answers = pen.answer(url, link, "timed_out" if is_down else link.truth(night), night)
        rows += answers
        if url.was_alive:
            breaker.begins(link.host)
            void_reason = breaker.hear(link.host, answers)
        if answers[-1].client is Client.LIBCURL and answers[-1].http_status == 200:
            raised = doubts.hear(url, answers[-1])
            again = list(raised.second_looks)
            if raised.probe is not None:
                probe = pen.probe(raised.probe, link, night)
                rows.append(probe)
                again += doubts.hear_probe(url, probe)
            for other in again:
                if other.url_id not in looked_at:
                    looked_at.add(other.url_id)
                    doubted = by_id[other.url_id]
                    rows += pen.answer(other, doubted, doubted.truth(night), night, Client.REQUESTS)
    return rows, void_reason


class _Pen:
    """Writes rows as the sweep does."""

    def __init__(self, refresh: Refresh) -> None:
        self._refresh = refresh
        self._count = 0

    def row(
        self,
        url: DueUrl,
        kind: Kind,
        client: Client | None,
        *,
        hop: int = 0,
        at: str | None = None,
        status: int | None = None,
        error: ErrorClass | None = None,
        page: tuple[str, str] | None = None,
    ) -> Observation:
        self._count += 1
        started = datetime.combine(self._refresh.night, datetime.min.time(), UTC) + timedelta(seconds=self._count)
        return Observation(
            content_id("check", self._refresh.refresh_id, str(self._count)),
            self._refresh.night,
            self._refresh.refresh_id,
            url.url_id,
            kind,
            client,
            hop,
            1,
            at or url.fetch_url,
            None if client is None else Method.GET,
            started,
            http_status=status,
            error_class=error,
            bytes_read=None if status is None else 900,
            title=page and page[0],
            fingerprint=page and page[1],
        )

    def answer(self, url: DueUrl, link: Link, truth: str, night: int, only: Client | None = None) -> list[Observation]:
        """What the clients see of a link: the second one where the first does not call it alive."""
        page, home = link.page(night), (f"Home of {link.host}", _digest(link.host))
        away = f"https://{link.host}/archive/{_digest(link.url)[:8]}"
        match truth:
            case "vanished":
                return [self.row(url, Kind.REQUEST, None, error=ErrorClass.DNS_NXDOMAIN)]
            case "busy":
                return [self.row(url, Kind.POSTPONED, None)]
        rows = []
        for client in (only,) if only else (Client.LIBCURL, Client.REQUESTS):
            match truth:
                case "gone" | "server_error" | "blocked":
                    status = {"gone": 404, "server_error": 503, "blocked": 403}[truth]
                    rows.append(self.row(url, Kind.REQUEST, client, status=status))
                case "refused" | "timed_out" | "insecure":
                    error = {
                        "refused": ErrorClass.CONNECT_REFUSED,
                        "timed_out": ErrorClass.CONNECT_TIMEOUT,
                        "insecure": ErrorClass.TLS_EXPIRED,
                    }[truth]
                    rows.append(self.row(url, Kind.REQUEST, client, error=error))
                case "to_root" | "moved":
                    status, target, shown = (
                        (302, f"https://{link.host}/", home) if truth == "to_root" else (301, away, page)
                    )
                    rows.append(self.row(url, Kind.REQUEST, client, status=status))
                    rows.append(self.row(url, Kind.REQUEST, client, hop=1, at=target, status=200, page=shown))
                    return rows
                case _:
                    shown = _parked(link) if truth == "parked" else page
                    return [self.row(url, Kind.REQUEST, client, status=200, page=shown)]
        return rows

    def probe(self, url: DueUrl, link: Link, night: int) -> Observation:
        """What a path gets that cannot exist."""
        if link.truth(night) == "parked":
            return self.row(url, Kind.PROBE, Client.LIBCURL, status=200, page=_parked(link))
        return self.row(url, Kind.PROBE, Client.LIBCURL, status=404, page=("Not found", _digest("nowhere")))


def _parked(link: Link) -> tuple[str, str]:
    return f"{link.host} is for sale", _digest(f"parked {link.host}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _number(text: str) -> int:
    return int(_digest(text)[:8], 16)


def scratch_lake(folder: Path, of: Path, web: Sequence[Link]) -> None:
    """A lake with the logs of another, and nothing made of them yet."""
    (folder / "lake").mkdir(parents=True)
    (folder / "lake" / "log").symlink_to(of / "lake" / "log")
    give_urls(folder, web)
    assert Logs.of(folder / "lake").link_checks.files()

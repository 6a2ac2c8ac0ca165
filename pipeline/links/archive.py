"""A web archive is asked for copies of pages that are gone, through its availability API.

One question at a time, at the archive's own pace, by requests, under the guard, caps and time-outs of every other
request, hops included. What it answers is an observation like any other, of kind `archive`, with the copy that it
named: the log is the only memory. An archive that does not answer is left alone for the night: nothing depends on it.

The API is the Wayback Machine's (archive.org/help/wayback_api.php): `url` and `timestamp` (YYYYMMDDhhmmss, empty for
the latest) in; the closest copy, its time and the status it was taken with out.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pyarrow as pa

from pipeline.links.exchange import Answer, Question
from pipeline.links.journey import Act, Step, Visit, first_visit, next_step
from pipeline.links.observation import Observation, as_table, observe_answer, observe_unasked
from pipeline.links.plan import DueUrl, Sweep
from pipeline.links.resolver import Resolver
from pipeline.links.route import NameWanted, Place, Refused, Route, place_of, route_by_name, route_without_dns
from pipeline.links.second_opinion import SecondOpinion
from pipeline.links.vocabulary import Client, ErrorClass, Kind, Method
from pipeline.model.urls import registrable_domain, url_forms
from pipeline.settings import Wayback

FAILURES_IN_A_ROW = 3
"""So many questions without a usable answer, and the archive is left alone for the night."""
_GARBAGE = "no answer of an availability API"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A page to look for, and the time that its copy should be near: YYYYMMDDhhmmss, or empty for the latest copy."""

    url_id: str
    fetch_url: str
    timestamp: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The copy that the archive named."""

    url: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Lookups:
    """How it went. `given_up` says why the archive was left alone before the end."""

    asked: int
    found: int
    failed: int
    given_up: str | None = None


def look_up(wanted: Sequence[Lookup], plan: Sweep, archive: Wayback, write: Callable[[pa.Table], None]) -> Lookups:
    """Ask for copies of `wanted`, as many as the archive's budget has room for; `write` receives each answer's rows."""
    return asyncio.run(_Archive(plan, archive, write).run(wanted[: archive.nightly_budget]))


def read_answer(body: bytes) -> Snapshot | None:
    """The copy that an answer names; None where the archive has none of a page that was there. Raises ValueError for
    what is no answer of the API."""
    try:
        closest = json.loads(body)["archived_snapshots"].get("closest")
        if closest is None or closest["available"] is not True or not str(closest["status"]).startswith("2"):
            return None
        taken_at = datetime.strptime(closest["timestamp"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        url = url_forms(closest["url"])
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(_GARBAGE) from error
    if url.problem is not None:
        raise ValueError(f"{_GARBAGE}: the copy has no usable URL")
    return Snapshot(url.fetch_url, taken_at)


class _Archive:
    def __init__(self, plan: Sweep, archive: Wayback, write: Callable[[pa.Table], None]) -> None:
        self._plan = replace(plan, opinion_threads=1)
        self._endpoint = archive.endpoint
        usual = plan.paces.get(registrable_domain(urlsplit(archive.endpoint).hostname or ""))
        self._pace = max(archive.pace_seconds, usual.gap if usual else 0.0)
        self._write = write

    async def run(self, wanted: Sequence[Lookup]) -> Lookups:
        self._began = time.monotonic()
        self._next_start = self._began + self._pace  # the sweep may just have asked it
        self._resolver = Resolver(self._plan.nameservers, self._plan.dns_seconds)
        self._client = SecondOpinion(self._plan)
        asked = found = failed = in_a_row = 0
        given_up = None
        try:
            for lookup in wanted:
                if time.monotonic() - self._began > self._plan.nightly_seconds:
                    given_up = "the night's minutes ran out"
                    break
                rows, act = await self._ask(lookup)
                self._write(as_table(rows))
                asked += 1
                found += rows[-1].snapshot_url is not None
                has_answered = rows[-1].http_status == 200 and rows[-1].error_class is None
                failed += not has_answered
                in_a_row = 0 if has_answered else in_a_row + 1
                if act is Act.SET_ASIDE or in_a_row == FAILURES_IN_A_ROW:
                    given_up = _told(rows[-1])
                    break
        finally:
            self._client.close()
            await self._resolver.close()
        return Lookups(asked, found, failed, given_up)

    async def _ask(self, lookup: Lookup) -> tuple[list[Observation], Act]:
        """The rows of one question, hop by hop, and what its last answer came to."""
        url = f"{self._endpoint}?url={quote(lookup.fetch_url, safe='')}&timestamp={lookup.timestamp}"
        visit = first_visit(DueUrl(lookup.url_id, url, registrable_domain(urlsplit(url).hostname or "")))
        visit.restart(Client.REQUESTS, Method.GET)
        visit.ranged = False
        rows: list[Observation] = []
        while True:
            route = await self._route(place_of(visit.url))
            if not isinstance(route, Route):
                error, detail = route
                rows.append(observe_unasked(self._plan, visit, Kind.ARCHIVE, error, detail, self._now()))
                return rows, Act.NOT_ALIVE
            started_at = self._at(await self._wait())
            answer = await self._answer(Question(visit.url, visit.method, visit.ranged, route))
            step = next_step(visit, answer, self._plan, self._now())
            if step.pause is not None:
                self._next_start = max(self._next_start, time.monotonic() + step.pause)
            rows.append(self._observed(visit, answer, step, started_at, route))
            if step.act is not Act.FOLLOW or step.url is None:
                return rows, step.act
            visit.follow(step.url, visit.domain)

    def _observed(self, visit: Visit, answer: Answer, step: Step, started_at: datetime, route: Route) -> Observation:
        row = observe_answer(self._plan, visit, answer, step, started_at, route.dns_ms, Kind.ARCHIVE)
        if answer.status != 200 or answer.error is not None:
            return row
        try:
            snapshot = read_answer(answer.body)
        except ValueError as error:
            return row._replace(error_class=ErrorClass.BAD_RESPONSE, error_detail=str(error))
        if snapshot is None:
            return row
        url = snapshot.url
        if self._endpoint.startswith("https://"):  # the API names its copies by http, which leads to the same by https
            url = "https://" + url.partition("://")[2]
        return row._replace(snapshot_url=url, snapshot_at=snapshot.taken_at)

    async def _route(self, place: Place) -> Route | tuple[ErrorClass, str | None]:
        plan = self._plan
        route = route_without_dns(place, plan.connect_to, plan.allow_addresses)
        if isinstance(route, NameWanted):
            known = self._resolver.known(place.host) or await self._resolver.ask(place.host)
            if known.error is not None:
                return known.error, known.detail
            route = route_by_name(place, known.addresses, plan.allow_addresses, known.milliseconds)
        if isinstance(route, Refused):
            return ErrorClass.ADDRESS_REFUSED, route.reason
        assert isinstance(route, Route)
        return route

    async def _wait(self) -> float:
        """Until the archive may be asked again: the time of this start."""
        while (left := self._next_start - (now := time.monotonic())) > 0:
            await asyncio.sleep(left)
        self._next_start = now + self._pace
        return now

    async def _answer(self, question: Question) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._client.ask(question, lambda answer, _: answered.set_result(answer))
        return await answered

    def _now(self) -> datetime:
        return self._at(time.monotonic())

    def _at(self, now: float) -> datetime:
        return self._plan.began_at + timedelta(seconds=now - self._began)


def _told(row: Observation) -> str:
    said = " ".join(str(part) for part in (row.http_status, row.error_class, row.error_detail) if part is not None)
    return f"{row.request_url.partition('?')[0]} answered: {said}"

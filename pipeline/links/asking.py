"""What may be asked now, and the asking of it, on one event loop.

Cases wait here for their domain's pace, for the address of their host, for the second client's word on it, or for one
of its threads; each is started as soon as it may, and its answer handed to whoever listens. Belongs here: when and
where something is asked. Does not belong here: what an answer means (`settling`).
"""

import asyncio
import math
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from pipeline.links.alarm import Alarm
from pipeline.links.cases import Case
from pipeline.links.curl import CurlClient
from pipeline.links.exchange import Answer, Question
from pipeline.links.hosts import Hosts
from pipeline.links.pacing import Pacer
from pipeline.links.plan import Sweep
from pipeline.links.resolver import FRESH_SECONDS, Resolution, Resolver
from pipeline.links.route import NameWanted, Place, Refused, Route, place_of, route_by_name, route_without_dns
from pipeline.links.second_opinion import SecondOpinion
from pipeline.links.vocabulary import TIMEOUTS, Client, ErrorClass, Kind

_NO_ROUTE = (None, 0.0)
_STARTED_AT_ONCE = 32
"""Then the loop hears what has come in, and less where much has: all that came waits for its turn. One goes always,
since the first is that of the longest queue."""
_RESOLVING = 500
"""So many names may be asked for at once: stalled ones must not hold up the others."""


class Listener(Protocol):
    """Who acts on what came of a case: puts it back, or settles it."""

    def begins(self, case: Case) -> None:
        """The case may start now, if nothing settles it first."""

    def answered(self, case: Case, route: Route, started_at: datetime, answer: Answer) -> None:
        """A request was made, and this came of it."""

    def unasked(self, case: Case, kind: Kind, error: ErrorClass, detail: str | None) -> None:
        """No request is needed or allowed."""

    def postpone(self, case: Case, reason: str, detail: str | None, error: ErrorClass | None = None) -> None:
        """Not tonight."""

    def second_look(self, case: Case, host: str) -> Case | None:
        """The question to the second client about a case whose host is silent, if one is wanted still."""

    @property
    def has_room(self) -> bool:
        """Whether more may be asked before something is written."""

    @property
    def is_done(self) -> bool:
        """Whether no case is left."""


class Asking:
    """The questions of one sweep. Make it inside a running loop, `listen`, `put` the cases, wait for `until_done`."""

    def __init__(self, plan: Sweep, hosts: Hosts, aside: Mapping[str, str]) -> None:
        self.over: tuple[str, str] | None = None
        """Why nothing more is begun, in a word and in more."""
        self.requests = 0
        self.aside = dict(aside)
        """The domains that asked to be left alone, with their words."""
        self._plan = plan
        self._hosts = hosts
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        self._deadline = self._began + plan.nightly_seconds
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._pacer: Pacer[Case] = Pacer(plan.pace_of, self._deadline)
        self._waiting_for_thread: deque[Case] = deque()
        self._parked: defaultdict[str, list[Case]] = defaultdict(list)
        """By host: what waits for the second client's word on it."""
        self._routes: dict[str, tuple[Route, float]] = {}
        """By scheme, host and port; each with the time until which it is good."""
        self._under_way = self._resolving = 0
        self._resolver = Resolver(plan.nameservers, plan.dns_seconds)
        self._opinions = SecondOpinion(plan)
        self._curl = CurlClient(plan, self._pump)
        self._alarm = Alarm(self._curl.turn)
        self.wake = self._curl.wake
        """Look for work soon, once, however many things have just ended."""

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    async def until_done(self) -> None:
        """Ask until no case is left. Raises what came up on the way, `fail` included."""
        self.wake()
        await self._finished

    def stop(self) -> None:
        """Break off what is under way."""
        self._alarm.close()
        self._curl.close()
        self._opinions.close()

    async def close(self) -> None:
        """The last call."""
        await self._resolver.close()

    def put(self, case: Case, *, first: bool = True) -> None:
        """Have the case asked where its visit stands, before what its domain already has, or after it."""
        if self.over:
            self._listener.postpone(case, *self.over)
        else:
            self._pacer.put(case.domain, case, first=first)

    def put_later(self, case: Case, delay: float) -> None:
        """The same in some seconds; the rest of its domain goes on meanwhile."""
        if self.over:
            self._listener.postpone(case, *self.over)
        else:
            self._pacer.put_later(case.domain, case, time.monotonic() + delay)

    def pause(self, domain: str, seconds: float) -> None:
        """Start nothing of the domain for so long."""
        self._pacer.pause(domain, time.monotonic() + seconds)

    def pauses(self) -> dict[str, float]:
        """The domains that may not be asked yet, with the seconds until then."""
        return self._pacer.pauses(time.monotonic())

    def go_on_with(self, host: str) -> None:
        """The second client has spoken about the host, or never will: what waited for that goes on."""
        for case in self._parked.pop(host, ()):
            self.put(case)

    def end(self, reason: str, detail: str) -> None:
        """Begin nothing more: what waits is postponed, what is under way is heard to its next answer."""
        self.over = reason, detail
        parked = [case for cases in self._parked.values() for case in cases]
        waiting = [*self._waiting_for_thread, *parked, *self._pacer.drain()]
        self._waiting_for_thread.clear()
        self._parked.clear()
        for case in waiting:
            self._listener.postpone(case, reason, detail)

    def fail(self, error: BaseException) -> None:
        """End with this error."""
        if not self._finished.done():
            self._finished.set_exception(error)

    def now(self) -> datetime:
        """The refresh's clock: its start plus the time that truly went by."""
        return self._at(time.monotonic())

    def _at(self, now: float) -> datetime:
        return self._plan.began_at + timedelta(seconds=now - self._began)

    # What is started: in each turn, when time has passed or something has ended.

    def _pump(self) -> None:
        if self._finished.done():
            return
        try:
            self._start_what_may()
        except Exception as error:  # noqa: BLE001 - in a callback: handed to whoever awaits the sweep
            self.fail(error)
            return
        if self._listener.is_done:
            self._finished.set_result(None)

    def _has_room(self) -> bool:
        return self._under_way < self._plan.concurrency and self._resolving < _RESOLVING and self._listener.has_room

    def _start_what_may(self) -> None:
        now = time.monotonic()
        if not self.over and now >= self._deadline:
            self.end("minutes", "the night's minutes ran out")
        for _ in range(max(1, _STARTED_AT_ONCE - self._curl.came)):
            if not self._has_room():
                return
            taken = self._pacer.take(now)
            if taken is None:
                wakes_at = None if self.over else self._pacer.wakes_at()
                if wakes_at is not None:
                    self._alarm.set(min(wakes_at, self._deadline))
                return
            self._begin(*taken)
            now = time.monotonic()
        self.wake()

    def _begin(self, domain: str, case: Case) -> None:
        """`case` holds a connection of `domain` and may start now, if nothing settles it first."""
        visit = case.visit
        self._listener.begins(case)
        route = self._route(case)
        if route is None:
            self._pacer.release(domain)
            return
        if visit.client is Client.REQUESTS and not self._opinions.free:
            self._pacer.release(domain)
            self._waiting_for_thread.append(case)
            return
        self._ask(domain, case, route)
        host = route.place.host
        if visit.client is Client.LIBCURL and self._hosts.begins(host, visit.due.url_id) and not visit.hop:
            self._loop.call_later(self._plan.silence_seconds, self._suspect, domain, case, route)

    def _suspect(self, domain: str, case: Case, route: Route) -> None:
        """The host of `case` has been silent for a while. Its time-outs will put it in question: if a thread and the
        domain's pace allow it, the second client is asked now, side by side with the first."""
        if self._finished.done() or self.over or not (self._opinions.free and self._has_room()):
            return
        if not self._pacer.take_beside(domain, time.monotonic()):
            return
        look = self._listener.second_look(case, route.place.host)
        if look is None:
            self._pacer.release(domain)
        else:
            self._ask(domain, look, route)

    def _ask(self, domain: str, case: Case, route: Route) -> None:
        visit = case.visit
        question = Question(visit.url, visit.method, visit.ranged, route, self._pacer.is_empty(domain))
        self._under_way += 1
        self.requests += 1
        now = time.monotonic()
        self._pacer.started(domain, now)
        answered = partial(self._answered, domain, case, route, self._at(now))
        if visit.client is Client.REQUESTS:
            self._opinions.ask(question, answered)
        else:
            self._curl.ask(question, answered)

    def _answered(
        self, domain: str, case: Case, route: Route, started_at: datetime, answer: Answer, seen_at: float
    ) -> None:
        self._under_way -= 1
        if answer.status is not None:
            self._pacer.answers(domain)
        elif answer.error in TIMEOUTS:
            self._pacer.times_out(domain)
        self._pacer.finished(domain, seen_at)
        if self._finished.done():
            return
        try:
            self._listener.answered(case, route, started_at, answer)
        except Exception as error:  # noqa: BLE001 - in a callback: handed to whoever awaits the sweep
            self.fail(error)
            return
        if self._waiting_for_thread and self._opinions.free:
            self.put(self._waiting_for_thread.popleft())
        self.wake()

    # Where something is asked.

    def _route(self, case: Case) -> Route | None:
        """Where `case` is asked, or None where it is settled already or waits for its name."""
        visit, plan = case.visit, self._plan
        if visit.domain in self.aside:
            self._listener.postpone(case, "host set aside", self.aside[visit.domain])
            return None
        origin = visit.url[: visit.url.find("/", 8)]
        route, good_until = self._routes.get(origin, _NO_ROUTE)
        if route is None or good_until < time.monotonic():
            try:
                place = place_of(visit.url)
            except ValueError as error:
                self._listener.unasked(case, Kind.GUARD, ErrorClass.URL_INVALID, str(error))
                return None
        else:
            place = route.place
        down = self._hosts.down(place.host)
        if down is not None:
            detail = f"{plan.timeouts_to_settle} time-outs in a row on other URLs of {place.host}"
            self._listener.unasked(case, Kind.SHARED, down, detail)
            return None
        if self._hosts.in_question(place.host, visit.due.url_id, visit.client):
            self._parked[place.host].append(case)
            return None
        if route is not None and place is route.place:
            return route
        return self._new_route(case, place, origin)

    def _new_route(self, case: Case, place: Place, origin: str) -> Route | None:
        """The same for a place that has not been asked yet, or whose name was resolved long ago."""
        plan = self._plan
        good_until = math.inf
        route = route_without_dns(place, plan.connect_to, plan.allow_addresses)
        if isinstance(route, NameWanted):
            known = self._resolver.known(place.host)
            if known is None:
                self._resolve(case, place.host)
                return None
            if known.error is ErrorClass.DNS_NXDOMAIN:
                kind = Kind.REQUEST if self._hosts.is_first_nxdomain(place.host) else Kind.SHARED
                self._listener.unasked(case, kind, known.error, known.detail)
                return None
            if known.error is not None:
                self._listener.postpone(case, known.error, known.detail, known.error)
                return None
            route = route_by_name(place, known.addresses, plan.allow_addresses, known.milliseconds)
            good_until = known.at + FRESH_SECONDS
        if isinstance(route, Refused):
            self._listener.unasked(case, Kind.GUARD, ErrorClass.ADDRESS_REFUSED, route.reason)
            return None
        assert isinstance(route, Route)
        self._routes[origin] = route, good_until
        return route

    def _resolve(self, case: Case, host: str) -> None:
        """Ask for the name; `case` comes back to the front of its domain and starts no earlier than its pace allows."""
        self._resolving += 1

        def resolved(task: asyncio.Task[Resolution]) -> None:
            self._resolving -= 1
            if task.cancelled() or self._finished.done():
                return
            if (error := task.exception()) is not None:
                self.fail(error)
                return
            self.put(case)
            self.wake()

        self._resolver.ask(host).add_done_callback(resolved)

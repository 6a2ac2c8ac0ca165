"""The sweep of one night: every due URL is asked, settled without asking, or postponed, and each has its rows.

Belongs here: what happens when, on one event loop: taking URLs from the pacer, finding their route, handing them to a
client, and acting on the answer. The decisions themselves are elsewhere (`journey` for one URL, `pacing` for one
domain, `guard` for one address), and so is all judgement of links (SQL).
"""

import asyncio
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from pipeline.links.alarm import Alarm
from pipeline.links.breaker import Breaker, controls_failed
from pipeline.links.cases import Case, Left
from pipeline.links.curl import CurlClient
from pipeline.links.doubts import Doubts, netloc_of
from pipeline.links.exchange import Answer, Question
from pipeline.links.hosts import Hosts
from pipeline.links.journey import Act, Step, next_step
from pipeline.links.observation import Observation, Outbox, observe_answer, observe_unasked
from pipeline.links.pacing import Pacer
from pipeline.links.plan import DueUrl, Sweep, SweepResult, within_budgets
from pipeline.links.resolver import FRESH_SECONDS, Resolution, Resolver
from pipeline.links.route import NameWanted, Place, Refused, Route, place_of, route_by_name, route_without_dns
from pipeline.links.second_opinion import SecondOpinion
from pipeline.links.vocabulary import TIMEOUTS, Client, ErrorClass, Kind, Method
from pipeline.model.urls import registrable_domain

_NO_ROUTE = (None, 0.0)
_STARTED_AT_ONCE = 32
"""Then the loop hears what has come in, and less where much has: all that came waits for its turn. One goes always,
since the first is that of the longest queue."""
_RESOLVING = 500
"""So many names may be asked for at once: stalled ones must not hold up the others."""


def sweep(
    due: Sequence[DueUrl],
    plan: Sweep,
    write: Callable[[pa.Table], None],
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Ask the URLs of `due`, the most urgent first, under the rules of `plan`.

    `write` receives the observations in parts, as tables of LINK_CHECKS; `progress` the number of settled URLs and of
    all. An interrupt writes what was observed before it goes on its way.
    """
    return within_a_night(
        due, plan, progress, lambda admitted, rules, tell: sweep_shard(admitted, rules, write, tell)[0]
    )


def within_a_night(
    due: Sequence[DueUrl],
    plan: Sweep,
    progress: Callable[[int, int], None] | None,
    ask: Callable[[list[DueUrl], Sweep, Callable[[int], None]], SweepResult],
) -> SweepResult:
    """What `ask` makes of the URLs that the night's budgets have room for, and the others counted. Where none is asked,
    no control is either."""
    admitted = within_budgets(due, plan)
    left_out = len(due) - len(admitted)

    def tell(settled: int) -> None:
        if progress is not None:
            progress(settled + left_out, len(due))

    asked = ask(admitted, plan if admitted else replace(plan, controls=()), tell)
    return SweepResult(left_out, 0, left_out, left_out) + asked


def sweep_shard(
    due: Sequence[DueUrl],
    plan: Sweep,
    write: Callable[[pa.Table], None],
    progress: Callable[[int], None],
    left: Left | None = None,
) -> tuple[SweepResult, Left]:
    """The same for one shard, with no look at budgets: `due` are of its domains. `progress` receives the number of
    settled URLs. A URL that is redirected to a domain of another shard is not settled here; it goes on in a sweep that
    is given what all shards left. It counts as due where it is settled."""
    return asyncio.run(_Night(plan, write, progress, left or Left()).run(due))


class _Night:
    def __init__(
        self, plan: Sweep, write: Callable[[pa.Table], None], progress: Callable[[int], None], left: Left
    ) -> None:
        self._plan = plan
        self._write = write
        self._progress = progress
        self._pacer: Pacer[Case] = Pacer(plan.pace_of)
        self._hosts = Hosts(plan.timeouts_to_settle, second_opinion=plan.second_opinion, known=left.hosts)
        self._doubts = Doubts(plan.refresh_id, known=left.doubts)
        self._aside = dict(left.aside)
        self._taken_up = left
        self._departed: list[Case] = []
        self._waiting_for_thread: deque[tuple[str, Case]] = deque()
        self._parked: defaultdict[str, list[tuple[str, Case]]] = defaultdict(list)
        """By host: what waits for the second client's word on it."""
        self._open: dict[int, Case] = {}
        self._checked = self._requests = self._asking = self._resolving = self._total = 0
        self._postponed: Counter[str] = Counter()
        self._routes: dict[str, tuple[Route, float]] = {}
        """By scheme, host and port; each with the time until which it is good."""
        self._pump_handle: asyncio.Handle | None = None
        self._over: tuple[str, str] | None = None
        """Why nothing more is begun, in a word and in more."""
        self._breaker = Breaker(plan.breaker_share)
        self._controls: list[Sequence[Observation]] = []
        self._void_reason: str | None = None

    async def run(self, due: Sequence[DueUrl]) -> tuple[SweepResult, Left]:
        plan = self._plan
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        self._deadline = self._began + plan.nightly_seconds
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._outbox = Outbox(self._write, self._plan.flush_rows, self._written)
        self._due, self._total = due, len(due) + sum(case.beyond is None for case in self._taken_up.cases)
        self._take_up(self._taken_up)
        if plan.void_reason is not None:
            self._admit()
            self._void(plan.void_reason)
        elif plan.controls:
            for url in plan.controls:
                self._ask_beyond(Case(url, beyond=Kind.CONTROL))
        else:
            self._admit()
        self._resolver = Resolver(plan.nameservers, plan.dns_seconds)
        self._opinions = SecondOpinion(plan)
        self._curl = CurlClient(plan)
        self._alarm = Alarm(self._pump)
        ticking = asyncio.create_task(self._tick())
        try:
            self._pump()
            if self._open:
                await self._finished
        except BaseException:
            self._open |= {id(case): case for case in self._departed}  # nobody comes after: they are postponed too
            raise
        finally:
            ticking.cancel()
            self._alarm.close()
            self._curl.close()
            self._opinions.close()
            for case in list(self._open.values()):
                self._postpone(case, "interrupted", "the sweep was stopped")
            self._outbox.close()
            self._tell()
            await self._resolver.close()
        postponed = self._postponed.total()
        result = SweepResult(
            due=self._total - sum(case.beyond is None for case in self._departed),
            checked=self._checked,
            postponed=postponed,
            postponed_over_budget=0,
            postponed_by_reason=dict(self._postponed),
            requests=self._requests,
            void_reason=self._void_reason,
        )
        return result, self._left()

    def _left(self) -> Left:
        return Left(
            self._departed,
            self._pacer.pauses(time.monotonic()),
            self._aside,
            self._hosts.known(),
            self._doubts.known({netloc_of(case.due) for case in self._departed}),
        )

    def _take_up(self, left: Left) -> None:
        """Go on with the URLs that shards left where they were led, at the pace that their domains were promised."""
        now = time.monotonic()
        for domain, seconds in left.pauses.items():
            if seconds > 0:
                self._pacer.pause(domain, now + seconds)
        for case in left.cases:
            self._open[id(case)] = case
            self._pacer.put(case.visit.domain, case)

    def _admit(self) -> None:
        """Queue what is asked, settle what never is."""
        plan = self._plan
        for url in self._due:
            case = Case(url)
            if url.problem is not None:
                unsupported = url.problem == ErrorClass.SCHEME_UNSUPPORTED
                error = ErrorClass.SCHEME_UNSUPPORTED if unsupported else ErrorClass.URL_INVALID
                self._settle_unasked(case, Kind.GUARD, error, url.problem)
                continue
            if plan.pace_of(url.domain).skip:
                self._postpone(case, "skipped", "links.per_domain skips this domain")
            else:
                self._open[id(case)] = case
                self._pacer.put(url.domain, case)

    # What is started: called whenever time has passed or something has ended.

    def _wake(self) -> None:
        """Look for work soon, once, however many things have just ended."""
        if self._pump_handle is None:
            self._pump_handle = self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_handle = None
        if self._finished.done():
            return
        try:
            self._start_what_may()
        except Exception as error:  # noqa: BLE001 - in a callback: handed to whoever awaits the sweep
            self._finished.set_exception(error)
            return
        if not self._open:
            self._finished.set_result(None)
            return
        wakes_at = None if self._over else self._pacer.wakes_at()
        if wakes_at is not None and self._has_room():
            self._alarm.set(min(wakes_at, self._deadline))

    def _has_room(self) -> bool:
        return self._asking < self._plan.concurrency and self._resolving < _RESOLVING and self._outbox.has_room

    def _start_what_may(self) -> None:
        if not self._over and time.monotonic() >= self._deadline:
            self._end("minutes", "the night's minutes ran out")
        for _ in range(max(1, _STARTED_AT_ONCE - self._curl.came())):
            taken = self._pacer.take(time.monotonic()) if self._has_room() else None
            if taken is None:
                return
            self._begin(*taken)
        self._wake()

    def _end(self, reason: str, detail: str) -> None:
        """Begin nothing more: what waits is postponed, what is under way is heard to its next answer."""
        self._over = reason, detail
        parked = [case for cases in self._parked.values() for _, case in cases]
        waiting = [case for _, case in self._waiting_for_thread] + parked + self._pacer.drain()
        self._waiting_for_thread.clear()
        self._parked.clear()
        for case in waiting:
            self._postpone(case, reason, detail)

    def _void(self, reason: str) -> None:
        """Our own network is down: nothing that this sweep saw counts."""
        self._void_reason = reason
        self._end("breaker", reason)

    def _begin(self, domain: str, case: Case) -> None:
        """`case` holds a connection of `domain` and may start now, if nothing settles it first."""
        visit = case.visit
        if case.beyond is None and case.due.was_alive:
            self._breaker.begins(place_of(case.due.fetch_url).host)
        route = self._route(domain, case)
        if route is None:
            self._pacer.release(domain)
            return
        if visit.client is Client.REQUESTS and not self._opinions.free:
            self._pacer.release(domain)
            self._waiting_for_thread.append((domain, case))
            return
        question = Question(visit.url, visit.method, visit.ranged, route, self._pacer.is_empty(domain))
        visit.asked.add(visit.url)
        self._asking += 1
        self._requests += 1
        now = time.monotonic()
        self._pacer.started(domain, now)
        answered = partial(self._answered, domain, case, route, self._at(now))
        if visit.client is Client.REQUESTS:
            self._opinions.ask(question, answered)
        else:
            self._curl.ask(question, answered)

    def _route(self, domain: str, case: Case) -> Route | None:
        """Where `case` is asked, or None where it is settled already or waits for its name."""
        visit, plan = case.visit, self._plan
        if domain in self._aside:
            self._postpone(case, "host set aside", self._aside[domain])
            return None
        origin = visit.url[: visit.url.find("/", 8)]
        route, good_until = self._routes.get(origin, _NO_ROUTE)
        if route is None or good_until < time.monotonic():
            try:
                place = place_of(visit.url)
            except ValueError as error:
                self._settle_unasked(case, Kind.GUARD, ErrorClass.URL_INVALID, str(error))
                return None
        else:
            place = route.place
        down = self._hosts.down(place.host)
        if down is not None:
            detail = f"{plan.timeouts_to_settle} time-outs in a row on other URLs of {place.host}"
            self._settle_unasked(case, Kind.SHARED, down, detail)
            return None
        if self._hosts.in_question(place.host, visit.due.url_id):
            self._parked[place.host].append((domain, case))
            return None
        if route is not None and place is route.place:
            return route
        return self._new_route(domain, case, place, origin)

    def _new_route(self, domain: str, case: Case, place: Place, origin: str) -> Route | None:
        """The same for a place that has not been asked yet, or whose name was resolved long ago."""
        plan = self._plan
        good_until = math.inf
        route = route_without_dns(place, plan.connect_to, plan.allow_addresses)
        if isinstance(route, NameWanted):
            known = self._resolver.known(place.host)
            if known is None:
                self._resolve(domain, case, place.host)
                return None
            if known.error is ErrorClass.DNS_NXDOMAIN:
                kind = Kind.REQUEST if self._hosts.is_first_nxdomain(place.host) else Kind.SHARED
                self._settle_unasked(case, kind, known.error, known.detail)
                return None
            if known.error is not None:
                self._postpone(case, known.error, known.detail, known.error)
                return None
            route = route_by_name(place, known.addresses, plan.allow_addresses, known.milliseconds)
            good_until = known.at + FRESH_SECONDS
        if isinstance(route, Refused):
            self._settle_unasked(case, Kind.GUARD, ErrorClass.ADDRESS_REFUSED, route.reason)
            return None
        assert isinstance(route, Route)
        self._routes[origin] = route, good_until
        return route

    def _resolve(self, domain: str, case: Case, host: str) -> None:
        """Ask for the name; `case` comes back to the front of its domain and starts no earlier than its pace allows."""
        self._resolving += 1

        def resolved(task: asyncio.Task[Resolution]) -> None:
            self._resolving -= 1
            if task.cancelled() or self._finished.done():
                return
            if task.exception() is not None:
                self._finished.set_exception(task.exception() or RuntimeError("the resolver failed"))
                return
            self._requeue(domain, case, first=True)
            self._wake()

        self._resolver.ask(host).add_done_callback(resolved)

    # What comes back.

    def _answered(
        self, domain: str, case: Case, route: Route, started_at: datetime, answer: Answer, seen_at: float
    ) -> None:
        self._asking -= 1
        if answer.status is not None:
            self._pacer.answers(domain)
        elif answer.error in TIMEOUTS:
            self._pacer.times_out(domain)
        self._pacer.finished(domain, seen_at)
        if self._finished.done():
            return
        try:
            self._act(domain, case, route, started_at, answer)
        except Exception as error:  # noqa: BLE001 - in a callback: handed to whoever awaits the sweep
            self._finished.set_exception(error)
            return
        if self._waiting_for_thread and self._opinions.free:
            self._requeue(*self._waiting_for_thread.popleft(), first=True)
        self._wake()

    def _act(self, domain: str, case: Case, route: Route, started_at: datetime, answer: Answer) -> None:
        visit = case.visit
        step = next_step(visit, answer, self._plan, self._now())
        if case.beyond is Kind.PROBE:
            self._heard_probe(
                domain,
                case,
                step,
                observe_answer(self._plan, visit, answer, step, started_at, route.dns_ms, Kind.PROBE),
            )
            return
        if answer.error is ErrorClass.ADDRESS_REFUSED:  # the backstop: nothing was sent
            self._settle_unasked(case, Kind.GUARD, answer.error, answer.detail)
            return
        kind = Kind.CONTROL if case.beyond is Kind.CONTROL else Kind.REQUEST
        case.rows.append(observe_answer(self._plan, visit, answer, step, started_at, route.dns_ms, kind))
        if step.pause is not None and step.act is not Act.SET_ASIDE:
            self._pacer.pause(domain, time.monotonic() + step.pause)
        if self._hosts.hear(route.place.host, visit.due.url_id, visit.client, answer):
            case.questions = route.place.host
            visit.restart(Client.REQUESTS, Method.GET)
            self._requeue(visit.domain, case, first=True)
            return
        if case.questions is not None and visit.client is Client.REQUESTS:
            self._answer_question(case)
        match step.act:
            case Act.ALIVE:
                self._settle(case)
                if visit.client is Client.LIBCURL and case.beyond is not Kind.CONTROL:
                    self._doubt(case)
            case Act.NOT_ALIVE:
                self._ask_other_client(case)
            case Act.SET_ASIDE:
                self._aside[domain] = step.detail or "the host asked to be left alone"
                self._postpone(case, "Retry-After", self._aside[domain])
            case _:
                self._go_on(domain, case, step)

    def _go_on(self, domain: str, case: Case, step: Step) -> None:
        visit = case.visit
        match step.act:
            case Act.FOLLOW:
                assert step.url is not None
                visit.follow(step.url, registrable_domain(place_of(step.url).host))
                if self._plan.owns(visit.domain):
                    self._requeue(visit.domain, case, first=True)
                else:
                    self._depart(case)
            case Act.AGAIN:
                visit.retries += 1
                if self._over:
                    self._requeue(domain, case, first=True)
                else:
                    self._pacer.put_later(domain, case, time.monotonic() + step.delay)
            case Act.AGAIN_WHOLE:
                visit.ranged = False
                self._requeue(domain, case, first=True)
            case Act.ASK_WITH_GET:
                visit.restart(visit.client, Method.GET)
                self._requeue(visit.domain, case, first=True)
            case _:
                raise AssertionError(step.act)

    def _ask_other_client(self, case: Case) -> None:
        if case.visit.client is Client.REQUESTS or not self._plan.second_opinion:
            self._settle(case)
            return
        case.visit.restart(Client.REQUESTS, Method.GET)
        self._requeue(case.visit.domain, case, first=True)

    # What is asked because of a doubt.

    def _doubt(self, case: Case) -> None:
        raised = self._doubts.hear(case.due, case.rows[-1])
        self._look_again(raised.second_looks)
        if raised.probe is not None:
            self._ask_beyond(Case(raised.probe, beyond=Kind.PROBE))

    def _heard_probe(self, domain: str, case: Case, step: Step, row: Observation) -> None:
        """The random path is followed to its end, but not retried: without an answer there is no comparison."""
        case.rows.append(row)
        if step.pause is not None:
            self._pacer.pause(domain, time.monotonic() + step.pause)
        if step.act is Act.FOLLOW:
            self._go_on(domain, case, step)
            return
        self._settle(case)
        self._look_again(self._doubts.hear_probe(case.due, row))

    def _look_again(self, due: Sequence[DueUrl]) -> None:
        for url in due if self._plan.second_opinion else ():
            case = Case(url, beyond=Kind.REQUEST)
            case.visit.restart(Client.REQUESTS, Method.GET)
            self._ask_beyond(case)

    def _ask_beyond(self, case: Case) -> None:
        if not self._over:
            self._open[id(case)] = case
            self._pacer.put(case.visit.domain, case, first=True)

    # What is settled.

    def _requeue(self, domain: str, case: Case, *, first: bool) -> None:
        if self._over:
            self._postpone(case, *self._over)
        else:
            self._pacer.put(domain, case, first=first)

    def _settle_unasked(self, case: Case, kind: Kind, error: ErrorClass, detail: str | None) -> None:
        self._note_unasked(case, kind, error, detail)
        self._settle(case)

    def _postpone(self, case: Case, reason: str, detail: str | None, error: ErrorClass | None = None) -> None:
        self._note_unasked(case, Kind.POSTPONED, error, detail)
        if case.beyond is None:
            self._postponed[reason] += 1
        self._close(case)

    def _note_unasked(self, case: Case, kind: Kind, error: ErrorClass | None, detail: str | None) -> None:
        if case.beyond is not Kind.PROBE:
            kind = Kind.CONTROL if case.beyond is Kind.CONTROL else kind
            case.rows.append(observe_unasked(self._plan, case.visit, kind, error, detail, self._now()))

    def _settle(self, case: Case) -> None:
        if case.beyond is None:
            self._checked += 1
        self._close(case)

    def _close(self, case: Case) -> None:
        self._open.pop(id(case), None)
        if case.questions is not None:
            self._answer_question(case)
        self._outbox.add(case.rows)
        self._watch(case)

    def _watch(self, case: Case) -> None:
        """Look at a settled URL for whether our own network is up."""
        if self._over is None and case.beyond is None and case.due.was_alive:
            reason = self._breaker.hear(place_of(case.due.fetch_url).host, case.rows)
            if reason is not None:
                self._void(reason)
        elif case.beyond is Kind.CONTROL:
            self._controls.append(case.rows)
            if len(self._controls) == len(self._plan.controls):
                reason = controls_failed(self._controls) if self._over is None else None
                self._admit()
                if reason is not None:
                    self._void(reason)
                elif self._over is not None:
                    self._end(*self._over)

    def _depart(self, case: Case) -> None:
        """Leave the case to whoever comes after the shards: another one asks the domain that it was led to."""
        self._open.pop(id(case), None)
        if case.questions is not None:
            self._answer_question(case)
        self._departed.append(case)

    def _written(self, failure: BaseException | None) -> None:
        if self._finished.done():
            return
        if failure is not None:  # the log cannot be written: the sweep ends with that error
            self._finished.set_exception(failure)
        else:
            self._wake()

    def _answer_question(self, case: Case) -> None:
        """The second client has spoken about the host, or never will: what waited for that goes on."""
        host, case.questions = case.questions, None
        assert host is not None
        self._hosts.forget_question(host, case.due.url_id)
        for domain, parked in self._parked.pop(host, ()):
            self._requeue(domain, parked, first=True)

    def _now(self) -> datetime:
        return self._at(time.monotonic())

    def _at(self, now: float) -> datetime:
        """The refresh's clock: its start plus the time that truly went by."""
        return self._plan.began_at + timedelta(seconds=now - self._began)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._plan.flush_seconds)
            try:
                self._outbox.flush()
                self._tell()
            except Exception as error:  # noqa: BLE001 - in a task: handed to whoever awaits the sweep
                if not self._finished.done():
                    self._finished.set_exception(error)
                return

    def _tell(self) -> None:
        self._progress(self._checked + self._postponed.total())

"""The sweep of one night: every due URL is asked, settled without asking, or postponed, and each has its rows.

Belongs here: the night as a whole: what it takes on, its control URLs, the breaker, its end and its result. When
something is asked is said by `asking`, what an answer means by `settling`; the decisions themselves are elsewhere
(`journey` for one URL, `pacing` for one domain, `guard` for one address), and so is all judgement of links (SQL).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from pipeline.links.asking import Asking
from pipeline.links.breaker import Breaker, controls_failed
from pipeline.links.cases import Case, Left
from pipeline.links.doubts import Doubts, netloc_of
from pipeline.links.hosts import Hosts
from pipeline.links.observation import Observation, Outbox
from pipeline.links.plan import DueUrl, Sweep, SweepResult, within_budgets
from pipeline.links.route import place_of
from pipeline.links.settling import Settling
from pipeline.links.vocabulary import ErrorClass, Kind


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
    return asyncio.run(_sweep(due, plan, write, progress, left or Left()))


async def _sweep(
    due: Sequence[DueUrl],
    plan: Sweep,
    write: Callable[[pa.Table], None],
    progress: Callable[[int], None],
    left: Left,
) -> tuple[SweepResult, Left]:
    return await _Night(due, plan, write, progress, left).run()


class _Night:
    """Make it inside a running loop."""

    def __init__(
        self,
        due: Sequence[DueUrl],
        plan: Sweep,
        write: Callable[[pa.Table], None],
        progress: Callable[[int], None],
        left: Left,
    ) -> None:
        self._due = due
        self._plan = plan
        self._progress = progress
        self._taken_up = left
        self._hosts = Hosts(plan.timeouts_to_settle, second_opinion=plan.second_opinion, known=left.hosts)
        self._doubts = Doubts(plan.refresh_id, known=left.doubts)
        self._breaker = Breaker(plan.breaker_share)
        self._controls: list[Sequence[Observation]] = []
        self._void_reason: str | None = None
        self._outbox = Outbox(write, plan.flush_rows, self._written)
        self._asking = Asking(plan, self._hosts, left.aside)
        self._settling = Settling(
            plan, self._hosts, self._doubts, self._asking, self._outbox, self._begins, self._settled
        )
        self._asking.listen(self._settling)

    async def run(self) -> tuple[SweepResult, Left]:
        settling, plan = self._settling, self._plan
        ticking = asyncio.create_task(self._tick())
        try:
            self._take_up()
            if plan.void_reason is not None:
                self._void(plan.void_reason)
            if plan.void_reason is not None or not plan.controls:
                self._admit()
            else:
                for url in plan.controls:
                    settling.take_on(Case(url, beyond=Kind.CONTROL))
            await self._asking.until_done()
        except BaseException:
            settling.open.update(settling.departed)  # nobody comes after: postponed, too
            raise
        finally:
            ticking.cancel()
            self._asking.stop()
            for case in list(settling.open):
                settling.postpone(case, "interrupted", "the sweep was stopped")
            self._outbox.close()
            self._tell()
            await self._asking.close()
        due = len(self._due) + sum(case.beyond is None for case in self._taken_up.cases)
        result = SweepResult(
            due=due - sum(case.beyond is None for case in settling.departed),
            checked=settling.checked,
            postponed=settling.postponed.total(),
            postponed_over_budget=0,
            postponed_by_reason=dict(settling.postponed),
            requests=self._asking.requests,
            void_reason=self._void_reason,
        )
        return result, self._left()

    def _left(self) -> Left:
        departed = self._settling.departed
        return Left(
            departed,
            self._asking.pauses(),
            self._asking.aside,
            self._hosts.known(),
            self._doubts.known({netloc_of(case.due) for case in departed}),
        )

    def _take_up(self) -> None:
        """Go on with the URLs that shards left where they were led, at the pace that their domains were promised."""
        for domain, seconds in self._taken_up.pauses.items():
            if seconds > 0:
                self._asking.pause(domain, seconds)
        for case in self._taken_up.cases:
            self._settling.take_on(case)

    def _admit(self) -> None:
        """Queue what is asked, settle what never is."""
        settling = self._settling
        for url in self._due:
            case = Case(url)
            if url.problem is not None:
                unsupported = url.problem == ErrorClass.SCHEME_UNSUPPORTED
                error = ErrorClass.SCHEME_UNSUPPORTED if unsupported else ErrorClass.URL_INVALID
                settling.unasked(case, Kind.GUARD, error, url.problem)
            elif self._plan.pace_of(url.domain).skip:
                settling.postpone(case, "skipped", "links.per_domain skips this domain")
            else:
                settling.take_on(case)

    # Whether our own network is up.

    def _void(self, reason: str) -> None:
        """It is not: nothing that this sweep saw counts."""
        self._void_reason = reason
        self._asking.end("breaker", reason)

    def _begins(self, case: Case) -> None:
        if case.due.was_alive and case.beyond is None:
            self._breaker.begins(place_of(case.due.fetch_url).host)

    def _settled(self, case: Case) -> None:
        if case.beyond is Kind.CONTROL:
            self._heard_control(case)
        elif case.due.was_alive and case.beyond is None and self._asking.over is None:
            reason = self._breaker.hear(place_of(case.due.fetch_url).host, case.rows)
            if reason is not None:
                self._void(reason)

    def _heard_control(self, case: Case) -> None:
        """With the last control, the night begins or is void."""
        self._controls.append(case.rows)
        if len(self._controls) == len(self._plan.controls):
            reason = controls_failed(self._controls) if self._asking.over is None else None
            if reason is not None:
                self._void(reason)
            self._admit()

    # What goes on beside.

    def _written(self, failure: BaseException | None) -> None:
        if failure is not None:  # the log cannot be written: the sweep ends with that error
            self._asking.fail(failure)
        else:
            self._asking.wake()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._plan.flush_seconds)
            try:
                self._outbox.flush()
                self._tell()
            except Exception as error:  # noqa: BLE001 - in a task: handed to whoever awaits the sweep
                self._asking.fail(error)
                return

    def _tell(self) -> None:
        self._progress(self._settling.checked + self._settling.postponed.total())

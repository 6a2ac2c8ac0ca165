"""What an answer means for its URL and its host: another question, or the URL is settled and has its rows.

Belongs here: the acts that follow from a step of `journey`, from a host's time-outs, and from a doubt about a page.
Does not belong here: when something is asked (`asking`), or what is made of the night as a whole (`sweep`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from pipeline.links.asking import Asking
from pipeline.links.cases import Case
from pipeline.links.doubts import Doubts
from pipeline.links.exchange import Answer
from pipeline.links.hosts import Hosts
from pipeline.links.journey import Act, Step, next_step
from pipeline.links.observation import Outbox, observe_answer, observe_unasked
from pipeline.links.plan import DueUrl, Sweep
from pipeline.links.route import Route, place_of
from pipeline.links.vocabulary import Client, ErrorClass, Kind, Method
from pipeline.model.urls import registrable_domain


class Settling:
    """The cases of one sweep that are not settled, and what has become of the others. `on_begin` is told of each case
    that is about to be asked, `on_settled` of each that is closed."""

    def __init__(
        self,
        plan: Sweep,
        hosts: Hosts,
        doubts: Doubts,
        asking: Asking,
        outbox: Outbox,
        on_begin: Callable[[Case], None],
        on_settled: Callable[[Case], None],
    ) -> None:
        self.open: set[Case] = set()
        self.departed: list[Case] = []
        """Led to domains that another shard asks."""
        self.checked = 0
        self.postponed: Counter[str] = Counter()
        self.begins = on_begin
        self._plan = plan
        self._hosts = hosts
        self._doubts = doubts
        self._asking = asking
        self._outbox = outbox
        self._on_settled = on_settled

    @property
    def has_room(self) -> bool:
        return self._outbox.has_room

    @property
    def is_done(self) -> bool:
        return not self.open

    def take_on(self, case: Case, *, first: bool = False) -> None:
        """Have the case asked and settled."""
        self.open.add(case)
        self._asking.put(case, first=first)

    def take_on_beyond(self, case: Case) -> None:
        """The same for one that is not due, if anything is asked still."""
        if not self._asking.over:
            self.take_on(case, first=True)

    def answered(self, case: Case, route: Route, started_at: datetime, answer: Answer) -> None:
        visit, asking = case.visit, self._asking
        step = next_step(visit, answer, self._plan, started_at)
        if case.beyond is Kind.PROBE:
            self._heard_probe(case, route, started_at, answer, step)
            return
        if answer.error is ErrorClass.ADDRESS_REFUSED:  # the backstop: nothing was sent
            self.unasked(case, Kind.GUARD, answer.error, answer.detail)
            return
        kind = Kind.CONTROL if case.beyond is Kind.CONTROL else Kind.REQUEST
        case.rows.append(observe_answer(self._plan, visit, answer, step, started_at, route.dns_ms, kind))
        if step.pause is not None and step.act is not Act.SET_ASIDE:
            asking.pause(visit.domain, step.pause)
        if self._hosts.hear(route.place.host, visit.due.url_id, visit.client, answer):
            case.questions = route.place.host
            visit.restart(Client.REQUESTS, Method.GET)
            asking.put(case)
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
                words = asking.aside[visit.domain] = step.detail or "the host asked to be left alone"
                self.postpone(case, "Retry-After", words)
            case _:
                self._go_on(case, step)

    def unasked(self, case: Case, kind: Kind, error: ErrorClass, detail: str | None) -> None:
        self._note_unasked(case, kind, error, detail)
        self._settle(case)

    def postpone(self, case: Case, reason: str, detail: str | None, error: ErrorClass | None = None) -> None:
        self._note_unasked(case, Kind.POSTPONED, error, detail)
        if case.beyond is None:
            self.postponed[reason] += 1
        self._close(case)

    def _go_on(self, case: Case, step: Step) -> None:
        visit = case.visit
        match step.act:
            case Act.FOLLOW:
                assert step.url is not None
                visit.follow(step.url, registrable_domain(place_of(step.url).host))
                if self._plan.owns(visit.domain):
                    self._asking.put(case)
                else:
                    self._depart(case)
            case Act.AGAIN:
                visit.retries += 1
                self._asking.put_later(case, step.delay)
            case Act.AGAIN_WHOLE:
                visit.ranged = False
                self._asking.put(case)
            case Act.ASK_WITH_GET:
                visit.restart(visit.client, Method.GET)
                self._asking.put(case)
            case _:
                raise AssertionError(step.act)

    def _ask_other_client(self, case: Case) -> None:
        if case.visit.client is Client.REQUESTS or not self._plan.second_opinion:
            self._settle(case)
            return
        case.visit.restart(Client.REQUESTS, Method.GET)
        self._asking.put(case)

    def second_look(self, case: Case, host: str) -> Case | None:
        if case not in self.open or not self._hosts.question_silent(host, case.due.url_id):
            return None
        look = case.second_look(host)
        self.open.add(look)
        return look

    # What is asked because of a doubt.

    def _doubt(self, case: Case) -> None:
        raised = self._doubts.hear(case.due, case.rows[-1])
        self._look_again(raised.second_looks)
        if raised.probe is not None:
            self.take_on_beyond(Case(raised.probe, beyond=Kind.PROBE))

    def _heard_probe(self, case: Case, route: Route, started_at: datetime, answer: Answer, step: Step) -> None:
        """The random path is followed to its end, but not retried: without an answer there is no comparison."""
        row = observe_answer(self._plan, case.visit, answer, step, started_at, route.dns_ms, Kind.PROBE)
        case.rows.append(row)
        if step.pause is not None:
            self._asking.pause(case.visit.domain, step.pause)
        if step.act is Act.FOLLOW:
            self._go_on(case, step)
            return
        self._settle(case)
        self._look_again(self._doubts.hear_probe(case.due, row))

    def _look_again(self, due: Sequence[DueUrl]) -> None:
        for url in due if self._plan.second_opinion else ():
            case = Case(url, beyond=Kind.REQUEST)
            case.visit.restart(Client.REQUESTS, Method.GET)
            self.take_on_beyond(case)

    # What is settled.

    def _note_unasked(self, case: Case, kind: Kind, error: ErrorClass | None, detail: str | None) -> None:
        if case.beyond is not Kind.PROBE and case.beside is None:
            kind = Kind.CONTROL if case.beyond is Kind.CONTROL else kind
            case.rows.append(observe_unasked(self._plan, case.visit, kind, error, detail, self._asking.now()))

    def _settle(self, case: Case) -> None:
        if case.beyond is None:
            self.checked += 1
        self._close(case)

    def _close(self, case: Case) -> None:
        self.open.discard(case)
        if case.questions is not None:
            self._answer_question(case)
        if case.beside is not None and (case.beside in self.open or case.beside in self.departed):
            case.beside.rows += case.rows
        else:
            self._outbox.add(case.rows)
        self._on_settled(case)

    def _depart(self, case: Case) -> None:
        """Leave the case to whoever comes after the shards: another one asks the domain that it was led to."""
        self.open.discard(case)
        if case.questions is not None:
            self._answer_question(case)
        self.departed.append(case)

    def _answer_question(self, case: Case) -> None:
        host, case.questions = case.questions, None
        assert host is not None
        self._hosts.forget_question(host, case.due.url_id)
        self._asking.go_on_with(host)

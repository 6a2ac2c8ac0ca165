"""The URLs that a sweep has in hand, and what one sweep leaves to another.

Belongs here: plain values, picklable, so that they can come back from a shard in another process. Does not belong here:
what is done about them (`sweep`).
"""

from dataclasses import dataclass, field
from typing import Self

from pipeline.links.doubts import DoubtedHost
from pipeline.links.hosts import Host
from pipeline.links.journey import Visit, first_visit
from pipeline.links.observation import Observation
from pipeline.links.plan import DueUrl
from pipeline.links.vocabulary import Client, Kind, Method


@dataclass(slots=True, eq=False)
class Case:
    """A due URL while it is not settled, with its rows so far. No two are alike."""

    due: DueUrl
    rows: list[Observation] = field(default_factory=list)
    questions: str | None = None
    """The host whose last time-out this is: the second client's word decides whether that host is down."""
    beyond: Kind | None = None
    """Not due and not counted: a second look (request), a host's random path (probe), or a control URL (control)."""
    beside: "Case | None" = None
    """The case of the same URL that the first client is asking meanwhile: it has the rows of both."""
    _visit: Visit | None = None

    @property
    def visit(self) -> Visit:
        """Made when it is first asked for: a hundred thousand that wait need none."""
        if self._visit is None:
            self._visit = first_visit(self.due)
        return self._visit

    @property
    def domain(self) -> str:
        """The domain that is asked next."""
        return self.due.domain if self._visit is None else self._visit.domain

    def second_look(self, host: str) -> "Case":
        """The question to the second client about the same URL and its host, at the same time."""
        look = Case(self.due, questions=host, beyond=Kind.REQUEST, beside=self)
        look.visit.restart(Client.REQUESTS, Method.GET)
        look.visit.attempts = self.visit.attempts
        return look


@dataclass(slots=True)
class Left:
    """What a shard leaves to a sweep that comes after it: the URLs that were led to domains of others, and what it has
    learned of its own."""

    cases: list[Case] = field(default_factory=list)
    pauses: dict[str, float] = field(default_factory=dict)
    """Domains that may not be asked yet, with the seconds until then."""
    aside: dict[str, str] = field(default_factory=dict)
    """Domains that asked to be left alone tonight, with their words."""
    hosts: dict[str, Host] = field(default_factory=dict)
    doubts: dict[str, DoubtedHost] = field(default_factory=dict)

    def update(self, other: Self, seconds_ago: float = 0.0) -> None:
        """Add what another shard left some seconds ago; no two shards know of one domain or host."""
        self.cases += other.cases
        self.pauses |= {domain: seconds - seconds_ago for domain, seconds in other.pauses.items()}
        self.aside |= other.aside
        self.hosts |= other.hosts
        self.doubts |= other.doubts

"""What a sweep is given: the URLs due tonight and the rules to ask them under.

Belongs here: plain frozen values, picklable, so that a shard of hosts can be swept in another process. Does not belong
here: anything that runs.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

import certifi

from pipeline.errors import SettingsError
from pipeline.model.ids import content_id
from pipeline.model.urls import registrable_domain, url_forms
from pipeline.model.version import program_version
from pipeline.settings import Links


@dataclass(frozen=True, slots=True)
class DueUrl:
    """One URL due tonight. `domain` is its registrable domain, the unit of pacing."""

    url_id: str
    fetch_url: str
    domain: str
    asked_as: str = "page"
    """page: a ranged GET at once; file: HEAD first."""
    problem: str | None = None
    """Why it is never asked: backslash | control_character | scheme_unsupported | relative | invalid."""
    was_alive: bool | None = False
    """Its last judgement was good: that its host fails tonight is news."""
    page_title: str | None = None
    page_fingerprint: str | None = None
    """Its page on the last good night that had one."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a domain is asked: the least gap between two starts, and how many requests may be under way."""

    gap: float
    connections: int = 1
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """The rules of one night. The figures without a setting come from link-rules and are attributes for tests' sake."""

    night: date
    refresh_id: str
    began_at: datetime
    user_agent: str
    pace: Pace
    paces: Mapping[str, Pace]
    concurrency: int
    timeout_seconds: float
    nightly_budget: int
    domain_budget: int
    nightly_seconds: float
    second_opinion: bool
    connect_to: Mapping[str, str]
    nameservers: tuple[str, ...]
    allow_addresses: tuple[IPv4Network | IPv6Network, ...]
    ca_file: str
    retries: int = 2
    retry_delay: float = 1.0
    retry_after_cap: float = 60.0
    max_hops: int = 10
    timeouts_to_settle: int = 5
    dns_seconds: float = 5.0
    opinion_threads: int = 64
    controls: tuple[DueUrl, ...] = ()
    """Asked before all else; where most of them fail, nothing else is."""
    breaker_share: float = 0.3
    void_reason: str | None = None
    """Known before it begins: nothing is asked, all is postponed."""
    flush_rows: int = 500
    flush_seconds: float = 1.0
    shard: int = 0
    shards: int = 1
    """A shard asks the domains that are its own, and nobody else does: their pace needs no coordination."""

    @property
    def silence_seconds(self) -> float:
        """After so long without a word, a host is more likely down than slow."""
        return self.timeout_seconds / 4

    def pace_of(self, domain: str) -> Pace:
        return self.paces.get(domain, self.pace)

    def owns(self, domain: str) -> bool:
        return self.shards == 1 or shard_of(domain, self.shards) == self.shard


def shard_of(domain: str, shards: int) -> int:
    """The shard that asks a domain, the same on every machine."""
    return zlib.crc32(domain.encode()) % shards if shards > 1 else 0


def within_budgets(due: Sequence[DueUrl], plan: Sweep) -> list[DueUrl]:
    """Those of `due`, the most urgent first, that the budgets of the night and of each domain have room for. What is
    settled without asking takes no room."""
    room = plan.nightly_budget
    by_domain: Counter[str] = Counter()
    admitted = []
    for url in due:
        if url.problem is None:
            by_domain[url.domain] += 1
            skipped = plan.pace_of(url.domain).skip
            if by_domain[url.domain] > plan.domain_budget or not (room or skipped):
                continue
            room -= not skipped
        admitted.append(url)
    return admitted


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How the night went: `due == checked + postponed`, and `postponed` is the sum of its reasons."""

    due: int
    checked: int
    postponed: int
    postponed_over_budget: int
    """Counted only: neither the night's nor the domain's budget had room for them."""
    postponed_by_reason: Mapping[str, int] = field(default_factory=dict)
    """The others, each with a row in the log."""
    requests: int = 0
    void_reason: str | None = None
    """Why the night does not count, where our own network was down."""

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.due + other.due,
            self.checked + other.checked,
            self.postponed + other.postponed,
            self.postponed_over_budget + other.postponed_over_budget,
            dict(Counter(self.postponed_by_reason) + Counter(other.postponed_by_reason)),
            self.requests + other.requests,
            self.void_reason or other.void_reason,
        )


def plan_sweep(links: Links, *, night: date, refresh_id: str, now: Callable[[], datetime]) -> Sweep:
    """The sweep of `night` under the settings `links`, begun at `now()`. Raises SettingsError for an exception that
    would never hold."""
    for domain in links.per_domain:
        if domain.lower() != (unit := registrable_domain(domain)):
            raise SettingsError(
                f"links.per_domain: {domain!r} is no registrable domain, the unit of pacing; write {unit!r},"
                " which holds for all its hosts"
            )
    usual = Pace(links.pace_seconds, links.connections)
    paces = {
        domain.lower(): Pace(
            links.pace_seconds if rule.pace_seconds is None else rule.pace_seconds,
            rule.connections or links.connections,
            rule.skip,
        )
        for domain, rule in links.per_domain.items()
    }
    return Sweep(
        night=night,
        refresh_id=refresh_id,
        began_at=now(),
        user_agent=f"Newsledger/{program_version()} (+{links.contact})",
        pace=usual,
        paces=paces,
        concurrency=links.concurrency,
        timeout_seconds=links.timeout_seconds,
        nightly_budget=links.nightly_budget,
        domain_budget=links.domain_budget,
        nightly_seconds=links.nightly_minutes * 60,
        second_opinion=links.second_opinion,
        connect_to={key.lower(): target for key, target in links.connect_to.items()},
        nameservers=links.nameservers,
        allow_addresses=tuple(ip_network(text) for text in links.allow_addresses),
        ca_file=str(links.ca_file or certifi.where()),
        dns_seconds=min(5.0, links.timeout_seconds),
        controls=tuple(map(_control, links.control_urls)),
        breaker_share=links.breaker_share,
    )


def _control(url: str) -> DueUrl:
    forms = url_forms(url)
    if forms.problem is not None:
        raise SettingsError(f"links.control_urls: {url!r} cannot be asked ({forms.problem}); write https://host/path")
    return DueUrl(content_id("url", forms.fetch_url), forms.fetch_url, forms.registrable_domain)

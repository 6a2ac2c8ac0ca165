"""What `newsledger links plan` does: what a sweep would ask now, and how long it would take, without asking anything.

It reads the tables as they were last made, and the rule of what is due; no log, no lock, so it answers while a refresh
runs, too.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.lake.clock import Clock
from pipeline.lake.relations import relation
from pipeline.lake.session import Session, open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.store import open_lake
from pipeline.links import DueUrl, Sweep, plan_sweep, within_budgets
from pipeline.settings import Settings

_READ = ("coverage.urls", "links.states")
_DUE = (
    "select url_id::varchar, fetch_url, registrable_domain, asked_as, problem, reason from links.due order by priority"
)


@dataclass(frozen=True, slots=True)
class Share:
    """What is due of one domain: how many URLs, how many of them the budgets have room for, and the seconds that those
    take at the domain's pace at least."""

    domain: str
    due: int
    asked: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A night before it runs: `due == asked + over_budget + skipped + never_asked`."""

    night: date
    due: int
    reasons: dict[str, int]
    """never_asked (yet) | failing | due_again."""
    asked: int
    over_domain_budget: int
    over_nightly_budget: int
    skipped: int
    """Of domains that the settings leave out."""
    unaskable: int
    """Settled without a request: no URL that can be asked."""
    domains: tuple[Share, ...]
    """The longest first."""
    seconds: float
    """As long as the domain that takes longest, or as all answers with so many requests at once: at least."""
    over_minutes: int
    """URLs that the night's minutes do not reach, at that pace."""


def forecast(settings: Settings, now: str | None) -> Forecast:
    """What a refresh would ask at `now`. Raises LakeError where no refresh has made the tables yet."""
    clock = Clock.at(now)
    night = clock.night(settings.schedule.timezone)
    plan = plan_sweep(settings.links, night=night, refresh_id="plan", now=clock.now)
    with open_session(settings.warehouse.memory_limit, settings.data_dir / "scratch") as session:
        _read(session, Snapshots(open_lake(settings).within("tables")))
        session.give("this.refresh", pa.table({"night": pa.array([night], pa.date32())}))
        session.make(relation("links.due"))
        rows = session.run(_DUE)
    due = [DueUrl(*row[:5]) for row in rows]  # type: ignore[arg-type]
    return _forecast(plan, due, Counter(str(row[5]) for row in rows))


def _read(session: Session, snapshots: Snapshots) -> None:
    """The tables as they are staged. A publication may prune files between the look at the pointer and at them: then
    the pointer names others by now."""
    for is_last in (False, True):
        tables = snapshots.staged().tables
        if missing := [name for name in _READ if name not in tables]:
            raise LakeError(f"{snapshots.store.place}: no {missing[0]} was made yet; run `newsledger refresh`")
        try:
            for name in _READ:
                session.attach_table("this.held", snapshots.paths(tables[name]))
                session.run(f"create or replace table {name} as from this.held")
        except (duckdb.IOException, LakeError) as error:
            if is_last:
                raise LakeError(f"{snapshots.store.place}: the tables cannot be read: {error}") from error
        else:
            return


def _forecast(plan: Sweep, due: Sequence[DueUrl], reasons: Counter[str]) -> Forecast:
    admitted = within_budgets(due, plan)
    within_domains = within_budgets(due, replace(plan, nightly_budget=len(due)))
    asked = [url for url in admitted if url.problem is None and not plan.pace_of(url.domain).skip]
    per_domain, asked_per_domain = Counter(url.domain for url in due), Counter(url.domain for url in asked)
    shares = [
        Share(domain, count, asked_per_domain[domain], asked_per_domain[domain] * plan.pace_of(domain).gap)
        for domain, count in per_domain.items()
    ]
    return Forecast(
        night=plan.night,
        due=len(due),
        reasons=dict(reasons.most_common()),
        asked=len(asked),
        over_domain_budget=len(due) - len(within_domains),
        over_nightly_budget=len(within_domains) - len(admitted),
        skipped=sum(url.problem is None and plan.pace_of(url.domain).skip for url in admitted),
        unaskable=sum(url.problem is not None for url in admitted),
        domains=tuple(sorted(shares, key=lambda share: (-share.seconds, -share.due, share.domain))),
        seconds=max((share.seconds for share in shares), default=0.0),
        over_minutes=sum(_unreached(plan, share) for share in shares),
    )


def _unreached(plan: Sweep, share: Share) -> int:
    gap = plan.pace_of(share.domain).gap
    return max(0, share.asked - math.ceil(plan.nightly_seconds / gap)) if gap else 0

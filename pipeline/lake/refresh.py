"""One refresh at work: its id, its clock, the lock it holds, and what it writes into the refreshes log."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from pipeline.errors import ClockError
from pipeline.lake.build import Builder
from pipeline.lake.clock import Clock
from pipeline.lake.lock import hold_lock
from pipeline.lake.logs import Log, Logs
from pipeline.lake.nights import LinkNights
from pipeline.lake.session import Session, open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.store import open_lake
from pipeline.model.pointers import step
from pipeline.model.version import program_version
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Refresh:
    """What every stage of a refresh is given. Made by `begin_refresh`, which holds the lock while it lives."""

    settings: Settings
    refresh_id: str
    run_id: str
    clock: Clock
    logs: Logs
    snapshots: Snapshots

    @property
    def started_at(self) -> datetime:
        return self.clock.start

    @property
    def night(self) -> date:
        return self.clock.night(self.settings.schedule.timezone)

    def record(self, event: str, **values: object) -> None:
        """Append one event of this refresh to its log. Raises LakeError where another refresh has claimed the lake."""
        self.snapshots.require_claim()
        row = {
            "refresh_id": self.refresh_id,
            "event": event,
            "happened_at": self.started_at,
            "night": self.night,
            "clock": self.clock.name,
            "run_id": self.run_id,
            "version": program_version(),
            "rehearsal": self.settings.links.enabled and self.settings.links.rehearsal is not None,
            **values,
        }
        self.logs.refreshes.append(pa.Table.from_pylist([row], schema=self.logs.refreshes.schema))

    @contextmanager
    def session(self, *logs: Log) -> Iterator[Session]:
        """A DuckDB session with `this.refresh` and the logs in reach: these, or all of them."""
        with open_session(
            self.settings.warehouse.memory_limit, self.settings.data_dir / "scratch", logs or self.logs
        ) as session:
            session.give("this.refresh", self._described())
            session.give("this.night", pa.table({"night": pa.array([self.night], pa.date32())}))
            yield session

    def builder(
        self,
        session: Session,
        inputs: Mapping[str, str] | None = None,
        providers: Mapping[str, Callable[[Builder], None]] | None = None,
    ) -> Builder:
        """A builder of this refresh's tables: the logs' versions are its inputs, `inputs` and `providers` add more."""
        known = {f"log.{log.name}": log.state() for log in self.logs}
        known |= {"this.refresh": self.refresh_id, "this.night": f"{self.night}"}
        nights = LinkNights(self.logs.link_checks, self.night, self.settings.links.checks_kept_nights)
        return Builder(
            session,
            self.snapshots,
            self.refresh_id,
            known | dict(inputs or {}),
            dict(providers or {}),
            nights.makers(),
        )

    def _described(self) -> pa.Table:
        volatile = [*map(step, self.settings.content.volatile_keys)]
        return pa.table(
            {
                "refresh_id": pa.array([self.refresh_id], pa.string()),
                "started_at": pa.array([self.started_at], pa.timestamp("us", tz="UTC")),
                "night": pa.array([self.night], pa.date32()),
                "volatile_pointers": pa.array([volatile], pa.list_(pa.string())),
            }
        )


@contextmanager
def begin_refresh(settings: Settings, run_id: str, now: str | None) -> Iterator[Refresh]:
    """Take the lock, set the clock and record the start; the lock is given back at the end.

    Raises RefreshBusyError where another holds the lock, ClockError for a time before the last refresh.
    """
    with _begin(settings, f"run {run_id}", run_id, now) as refresh:
        refresh.record("started")
        yield refresh


@contextmanager
def begin_backfill(settings: Settings, run_id: str, now: str | None) -> Iterator[Refresh]:
    """As `begin_refresh`, for what only adds to the documents log: no refresh starts, so none stays unpublished."""
    with _begin(settings, f"backfill, run {run_id}", run_id, now) as backfill:
        yield backfill


@contextmanager
def _begin(settings: Settings, holder: str, run_id: str, now: str | None) -> Iterator[Refresh]:
    clock = Clock.at(now)
    with hold_lock(settings.lock_file, holder):
        lake = open_lake(settings)
        lake.tidy()
        logs, snapshots = Logs.of(lake), Snapshots(lake.within("tables"))
        seen = snapshots.seen()  # before the clock is set, so that who claims the lake is later than all it saw
        clock = _after_the_last(clock, logs, settings)
        stamp = clock.start.strftime("%Y%m%dT%H%M%S.%fZ")
        refresh_id = f"{stamp}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"
        snapshots.claim(refresh_id, seen)
        yield Refresh(settings, refresh_id, run_id, clock, logs, snapshots)


def _after_the_last(clock: Clock, logs: Logs, settings: Settings) -> Clock:
    """`clock`, made to start after the last refresh by a microsecond where they would be equal: every current state
    follows `seen_at`, which must therefore tell the two apart."""
    scratch = settings.data_dir / "scratch"
    with open_session(settings.warehouse.memory_limit, scratch, [logs.refreshes]) as session:
        last = session.value("select max(happened_at) from log.refreshes")
    if last is None:
        return clock
    assert isinstance(last, datetime)
    if clock.start < last - timedelta(seconds=1):
        raise ClockError(
            f"{clock.start.isoformat()} is before the last refresh ({last.isoformat()}): history cannot be rewritten;"
            " give a later --now, or use another data_dir for a rehearsal of the past"
        )
    if clock.start <= last:
        return Clock(last + timedelta(microseconds=1), clock.given)
    return clock

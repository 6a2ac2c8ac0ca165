"""Dagster's record of our runs: which are ours, which have ended, which lost their process, which are too old."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipeline.lake.lock import holder_of
from pipeline.settings import Settings

KIND_TAG = "newsledger/kind"
STARTED_BY_TAG = "newsledger/started_by"
CODE_LOCATION = "newsledger"
_STARTING = timedelta(minutes=2)
"""What a run has to take the lock; one that is older and does not hold it has lost its process."""
_ENDING_SECONDS = 1
"""What a run may take from giving back the lock to being called ended."""
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def is_ours(run: dg.DagsterRun) -> bool:
    """Whether it is a run of this project, on an instance that others may use too."""
    return KIND_TAG in run.tags or run.tags.get(".dagster/repository", "").endswith(f"@{CODE_LOCATION}")


def ended_since(instance: dg.DagsterInstance, since: datetime, most: int) -> list[tuple[datetime, dg.DagsterRun]]:
    """The runs of ours that ended later, the first of them first, with the time."""
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=since), limit=most, order_by="update_timestamp", ascending=True
    )
    return [(record.update_timestamp.replace(tzinfo=UTC), record.dagster_run) for record in records]


def fail_lost_runs(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Call those runs failed whose process is gone, as after a kill or a power cut: they would hold back the queue for
    ever. Their ids. A run at work holds the lock."""
    lost = _without_the_lock(instance, settings)
    if lost:
        time.sleep(_ENDING_SECONDS)
        lost = [run for run in _without_the_lock(instance, settings) if run in lost]
    for run in lost:
        instance.report_run_failed(run, "The process of this run is gone: killed, or the machine went down.")
    return [run.run_id for run in lost]


def _without_the_lock(instance: dg.DagsterInstance, settings: Settings) -> list[dg.DagsterRun]:
    at_work = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    long_ago = datetime.now(UTC) - _STARTING
    return [
        record.dagster_run
        for record in instance.get_run_records(at_work)
        if is_ours(record.dagster_run)
        and record.update_timestamp.replace(tzinfo=UTC) < long_ago
        and record.dagster_run.run_id not in (holder_of(settings.lock_file) or "")
    ]


@contextmanager
def files_kept_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Keep a connection to the SQLite files that the events of the run go into. Dagster opens one for each event, and
    whenever the last one to a file is closed, SQLite folds its log into the file: three more syncs for each event."""
    storage = instance.event_log_storage
    with ExitStack() as stack:
        if isinstance(storage, SqliteEventLogStorage):
            instance.all_logs(run_id)  # makes the file of the run
            for shard in ("index", run_id):
                connection = stack.enter_context(closing(sqlite3.connect(storage.path_for_shard(shard))))
                connection.execute("select count(*) from sqlite_master").fetchall()  # it counts once it has read
        yield


def forget_old_runs(instance: dg.DagsterInstance, before: datetime, most: int) -> int:
    """Delete the runs of ours that were made before, with their events and output; how many."""
    ended = dg.RunsFilter(statuses=[*_ENDED, dg.DagsterRunStatus.CANCELED], created_before=before)
    old = instance.get_run_records(ended, limit=most, order_by="create_timestamp", ascending=True)
    ours = [record.dagster_run.run_id for record in old if is_ours(record.dagster_run)]
    for run_id in ours:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return len(ours)

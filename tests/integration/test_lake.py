"""Logs, snapshots and the lock, on a real file system."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pipeline.errors import ClockError, LakeError, RefreshBusyError
from pipeline.lake.lock import hold_lock
from pipeline.lake.logs import Log, Logs
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import Relation
from pipeline.lake.session import open_session
from pipeline.lake.snapshots import Snapshots, TableFile
from pipeline.lake.store import FolderStore

SCHEMA = pa.schema([("name", pa.string()), ("count", pa.int64())])


def _rows(*names: str) -> pa.Table:
    return pa.table({"name": list(names), "count": list(range(len(names)))}, schema=SCHEMA)


def test_a_log_grows_by_whole_commits(tmp_path: Path) -> None:
    log = Log("things", SCHEMA, FolderStore(tmp_path / "log" / "things"))
    assert log.files() == []
    assert log.state() == ""
    log.append(_rows("a", "b"))
    first = log.state()
    log.append(_rows())
    assert log.state() == first, "no rows, no commit"
    log.append(_rows("c"))
    assert log.table_id() == first.partition("@")[0]
    assert len(log.files()) == 2


def test_the_small_files_of_many_nights_are_merged_and_the_log_is_the_same(tmp_path: Path) -> None:
    log = Log("things", SCHEMA, FolderStore(tmp_path / "things"))
    for night in range(70):
        log.append(_rows(f"night {night}"))
        log.compact()
    assert len(log.files()) < 10
    before = log.state()
    log.compact()
    assert log.state() == before
    assert log.state().endswith("@70"), "a name of what it holds, whichever files hold it"
    assert sorted(DeltaTable(log.store.folder).to_pyarrow_table()["name"].to_pylist()) == sorted(
        f"night {night}" for night in range(70)
    )
    assert len(list(log.store.folder.glob("part-*"))) > 64, "a reader of this night still finds its files"


def test_a_part_that_is_never_committed_is_no_part_of_the_log(tmp_path: Path) -> None:
    log = Log("things", SCHEMA, FolderStore(tmp_path / "things"))
    log.append(_rows("a"))
    before = log.state()
    lost, kept = log.write(_rows("lost")), log.write(_rows("b", "c"))
    assert log.state() == before
    log.commit([kept])
    assert DeltaTable(log.store.folder).to_pyarrow_table()["name"].to_pylist() == ["b", "c", "a"]
    assert (log.store.folder / lost.file).exists()


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "log"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(LakeError, match="could not be appended to the things log"):
        Log("things", SCHEMA, FolderStore(blocked / "things")).append(_rows("a"))


def _hold(file: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with hold_lock(file, "run 1"):
        ready.set()
        time.sleep(60)


def test_the_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "refresh.lock"
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(file, ready))
    holder.start()
    try:
        assert ready.wait(30)
        with pytest.raises(RefreshBusyError, match=f"run 1, process {holder.pid}"), hold_lock(file, "run 2"):
            pytest.fail("the lock was given twice")
    finally:
        os.kill(holder.pid or 0, signal.SIGKILL)
        holder.join()
    with hold_lock(file, "run 3"):
        pass


def _table(snapshots: Snapshots, refresh_id: str, name: str) -> TableFile:
    target = snapshots.target(refresh_id, name)
    target.write_bytes(b"parquet")
    return TableFile(f"{refresh_id}/{target.name}", 1, 7, "made")


def test_readers_see_a_snapshot_only_once_it_is_published(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "tables")
    snapshots.stage("r1", {"coverage.stories": _table(snapshots, "r1", "coverage.stories")})
    assert snapshots.current() is None
    snapshots.publish(keep=2)
    current = snapshots.current()
    assert current is not None
    assert current.refresh_id == "r1"


def test_what_no_kept_snapshot_names_is_pruned_and_what_is_shared_stays(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "tables")
    snapshots.stage("r1", {"a.kept": _table(snapshots, "r1", "a.kept"), "a.old": _table(snapshots, "r1", "a.old")})
    snapshots.publish(keep=1)
    snapshots.stage("r2", {"a.old": _table(snapshots, "r2", "a.old")})
    snapshots.publish(keep=1)
    assert sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / "tables").rglob("*.parquet")) == [
        "tables/r1/a.kept.parquet",
        "tables/r2/a.old.parquet",
    ]


def test_history_cannot_be_rewritten(settings_for, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings = settings_for(tmp_path)
    with begin_refresh(settings, "one", "2026-05-02T02:00:00Z"):
        pass
    with (
        pytest.raises(ClockError, match="before the last refresh"),
        begin_refresh(settings, "two", "2026-05-01T02:00:00Z"),
    ):
        pytest.fail("the past was written")
    with begin_refresh(settings, "three", "2026-05-02T02:00:00Z") as again:
        assert again.started_at.microsecond == 1, "two refreshes are never at one instant"


def test_a_log_that_an_earlier_version_began_is_read_and_grows(tmp_path: Path) -> None:
    """A column that came later is null in what was written before."""
    logs = Logs.of(tmp_path / "lake")
    log = logs.refreshes
    row = {
        "refresh_id": "r",
        "event": "started",
        "happened_at": datetime(2024, 5, 1, tzinfo=UTC),
        "night": date(2024, 5, 1),
        "clock": "system",
        "run_id": "r",
        "version": "0",
        "rehearsal": False,
    }
    earlier = pa.schema([field for field in log.schema if field.name != "commit"])
    Log(log.name, earlier, log.store).append(pa.Table.from_pylist([row], schema=earlier))

    def commits() -> list[tuple[object, ...]]:
        with open_session("1GB", tmp_path / "scratch", logs) as session:
            return session.run('select refresh_id, "commit" from log.refreshes order by all')

    assert commits() == [("r", None)]
    log.append(pa.Table.from_pylist([row | {"refresh_id": "s", "commit": "c0ffee"}], schema=log.schema))
    assert commits() == [("r", None), ("s", "c0ffee")]


def test_a_relation_that_fits_into_no_memory_says_which_setting_to_raise(tmp_path: Path) -> None:
    hoard = Relation(
        "staging", "hoard", "select list(range::varchar) from range(10_000_000)", "", "sql/staging/hoard.sql"
    )
    with (
        open_session("50MB", tmp_path) as session,
        pytest.raises(LakeError, match=r"hoard\.sql.*warehouse\.memory_limit"),
    ):
        session.make(hoard)

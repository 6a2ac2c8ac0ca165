"""A lake in an object store, a real S3 server on loopback: what is in it, who may write, and what a kill leaves."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.content import intake
from pipeline.errors import LakeError
from pipeline.lake import logs as lake_logs
from pipeline.lake.logs import Log, Logs
from pipeline.lake.objects import ObjectStore
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.spool import Spool
from pipeline.lake.store import open_lake
from pipeline.links import shards
from pipeline.rehearsal import rehearse
from pipeline.settings import Executor, LakeOptions, Settings
from tests.clusters import cluster
from tests.integration import test_links_shards
from tests.integration.test_spool import asked, rows
from tests.lakes import (
    begun,
    build,
    lake_settings,
    log_rows,
    observed,
    publish,
    read,
    tables_of,
    whole_night,
    write_archive,
)
from tests.stores import Store, serve_store

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False)])
LOADED = """
import sys
from pathlib import Path
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Settings, Source

with begin_refresh(Settings(data_dir=Path(sys.argv[1]), sources=(Source(name="a", path="site"),)), "run", None):
    print([name for name in ("obstore", "s3fs", "aiobotocore", "polars") if name in sys.modules])
"""
FORKS = get_context("forkserver")
"""A process that has all modules, and no threads, makes the ones that are killed: each is there at once."""
FORKS.set_forkserver_preload(["tests.lakes"])


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with serve_store() as store:
        yield store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The server with an empty bucket `lake`, and its keys in the environment."""
    own = {name: value for name, value in server.environment.items() if name != "AWS_ENDPOINT_URL"}
    server.begin("lake", own, monkeypatch)
    return server


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "site", a="One", b="Two", c="Three")


def keys(store: Store) -> list[str]:
    return [entry["Key"] for entry in store.client().list_objects_v2(Bucket="lake")["Contents"]]


# The same as in a folder


def test_nights_in_a_store_and_in_a_folder_give_the_same_tables(store: Store, site: Path, tmp_path: Path) -> None:
    """A first night, one of changes, one of none, each followed by a prune."""
    elsewhere, here = (lake_settings(site, tmp_path / name, of) for name, of in (("s3", store), ("folder", None)))
    for night, change in enumerate(({}, {"a": "One more", "d": "Four"}, {})):
        write_archive(site, **change)
        for settings in (elsewhere, here):
            whole_night(settings, night)
        assert tables_of(elsewhere) == tables_of(here)
        assert log_rows(elsewhere).equals(log_rows(here))
    assert not (tmp_path / "s3" / "lake").exists()


def test_another_machine_goes_on_where_the_first_one_stopped(store: Store, site: Path, tmp_path: Path) -> None:
    """It has nothing but the bucket; only what it reads is fetched, and once."""
    whole_night(lake_settings(site, tmp_path / "first", store), 0)
    other = lake_settings(site, tmp_path / "other", store)
    store.reads.clear()
    whole_night(other, 1)
    fetched = [key for key in store.reads if key.endswith(".parquet") and "_delta_log" not in key]
    assert len(fetched) == len(set(fetched)) > 0
    write_archive(site, a="One more")
    whole_night(other, 2)
    assert tables_of(other)["coverage.stories"]


def test_what_no_snapshot_names_is_pruned_and_what_this_machine_keeps_of_it_goes_after_a_week(
    store: Store, site: Path, tmp_path: Path
) -> None:
    settings = lake_settings(site, tmp_path / "data", store)
    whole_night(settings, 0)
    lake = open_lake(settings).within("tables")
    snapshots = Snapshots(lake)
    first = {file for table in snapshots.staged().tables.values() for file in table.files}
    write_archive(site, a="One more")
    whole_night(settings, 1)
    named = {file for table in snapshots.staged().tables.values() for file in table.files}
    assert first - named
    assert {name for name in lake.names() if name.endswith(".parquet")} == named
    assert [name for name in lake.names() if name.startswith("history/")] == [
        f"history/{snapshots.staged().refresh_id}.json"
    ]
    [kept, *_] = lake.fetch(sorted(named))
    os.utime(kept, (0, 0))
    lake.tidy()
    assert not kept.exists()
    assert lake.fetch(sorted(named))[0].exists(), "fetched again"


def test_the_small_parts_of_a_log_are_merged_and_its_rows_stay(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_logs, "_MANY_FILES", 4)
    options = LakeOptions(endpoint=store.endpoint, allow_http=True)
    log = Log("things", SCHEMA, ObjectStore.at("s3://lake/of/ours", options, tmp_path).within("log/things"))
    for number in range(5):
        log.append(pa.table({"name": [f"{number}"]}, SCHEMA))
    log.compact()
    [merged] = log.files()
    assert sorted(pq.read_table(merged)["name"].to_pylist()) == ["0", "1", "2", "3", "4"]
    parts = [key for key in keys(store) if "/part-" in key]
    assert len(parts) == 6, "who reads the small ones finds them for a week"


# Two machines


def test_of_two_refreshes_at_once_the_one_that_began_last_goes_on(store: Store, site: Path, tmp_path: Path) -> None:
    machines = [lake_settings(site, tmp_path / name, store) for name in ("one", "two")]
    with begun(machines[0], 0, "one") as first:
        read(first)
        with begun(machines[1], 1, "two") as second:
            with pytest.raises(LakeError, match=r"ours/tables/staged\.json: another refresh .*one machine"):
                build(first)
            with pytest.raises(LakeError, match=second.refresh_id):
                publish(first)
            with pytest.raises(LakeError, match="another refresh"):
                first.record("swept")
            read(second)
            build(second)
            publish(second)
    alone = lake_settings(site, tmp_path / "alone", None)
    with begun(alone, 1) as undisturbed:
        read(undisturbed)
        build(undisturbed)
        publish(undisturbed)
    assert tables_of(machines[1]) == tables_of(alone)
    assert log_rows(machines[0]).equals(log_rows(alone)), "what the first one read is kept, and not read again"


def test_what_two_refreshes_both_read_counts_once(store: Store, site: Path, tmp_path: Path) -> None:
    """Neither had seen the other's rows: the same meanings are in the log twice."""
    settings, alone = lake_settings(site, tmp_path / "data", store), lake_settings(site, tmp_path / "alone", None)
    with begun(alone, 0) as refresh:
        read(refresh)
        build(refresh)
        publish(refresh)
        rows = pa.concat_tables([pq.read_table(file) for file in refresh.logs.documents.files()])
    with begun(settings, 1) as refresh:
        read(refresh)
        refresh.logs.documents.append(rows)
        build(refresh)
        publish(refresh)
    assert refresh.logs.documents.size()[0] == 6
    assert tables_of(settings) == tables_of(alone)


def test_of_two_that_begin_at_the_same_moment_one_is_refused(store: Store, site: Path, tmp_path: Path) -> None:
    """Each has seen that nobody writes before either claims the lake."""
    both_have_seen = Barrier(2)

    def begin(name: str) -> str:
        settings = lake_settings(site, tmp_path / name, store)
        snapshots = Snapshots(open_lake(settings).within("tables"))
        seen = snapshots.seen()
        both_have_seen.wait()
        try:
            snapshots.claim(name, seen)
        except LakeError as error:
            return str(error)
        return "claimed"

    with ThreadPoolExecutor(2) as threads:
        told = sorted(threads.map(begin, ("one", "two")))
    assert told[0] == "claimed"
    assert "another refresh writes to this lake" in told[1]


def test_rows_that_two_append_at_once_are_all_there(store: Store, tmp_path: Path) -> None:
    options = LakeOptions(endpoint=store.endpoint, allow_http=True)
    logs = [
        Log("things", SCHEMA, ObjectStore.at("s3://lake/of/ours", options, tmp_path / name).within("log/things"))
        for name in ("one", "two")
    ]
    logs[0].append(pa.table({"name": ["begun"]}, SCHEMA))

    def append(log: Log) -> None:
        for number in range(6):
            log.append(pa.table({"name": [f"{number}"]}, SCHEMA))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(append, logs))
    assert [log.size()[0] for log in logs] == [13, 13]
    commits = [condition for key, condition in store.writes if key.endswith(".json") and "_delta_log/0" in key]
    assert set(commits) == {"HTTP_IF_NONE_MATCH"}


def test_rows_that_wait_on_two_machines_are_both_committed(store: Store, tmp_path: Path) -> None:
    """A batch has a number, which another machine's batch must not use up."""

    options = LakeOptions(endpoint=store.endpoint, allow_http=True)
    one, two = (
        Logs.of(ObjectStore.at("s3://lake/of/ours", options, tmp_path / name)).link_checks for name in ("one", "two")
    )
    Spool(one).append(rows(1))  # and that machine dies
    for number in (2, 3):
        spool = Spool(two)
        spool.append(rows(number))
        spool.commit()
    Spool(one).commit()
    assert asked(two) == [1, 2, 3]
    assert "cache" not in str(one.store.spools), "what waits is not disposable"


# Others who write and read


@pytest.mark.parametrize("executor", [Executor(kind="serial"), Executor(kind="processes", workers=2)])
def test_worker_processes_write_their_parts_into_the_store(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: Executor
) -> None:
    monkeypatch.setattr(intake, "WORTH_WORKERS", 10)
    monkeypatch.setattr(intake, "SHARE_FILES", range(10, 11))
    site = write_archive(tmp_path / "site", **{f"n{number}": f"Story {number}" for number in range(40)})
    settings = lake_settings(site, tmp_path / "data", store, executor=executor)
    with begun(settings, 0) as refresh:
        read(refresh)
    assert log_rows(settings).num_rows == 40
    assert len([key for key, _ in store.writes if "log/documents/part" in key]) == 4


@pytest.mark.timeout(120)
def test_a_cluster_that_loses_a_worker_leaves_the_same_rows(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies in the middle of putting its part."""
    monkeypatch.setattr(intake, "WORTH_WORKERS", 10)
    monkeypatch.setattr(intake, "SHARE_FILES", range(10, 11))
    site = write_archive(tmp_path / "site", **{f"n{number}": f"Story {number}" for number in range(60)})
    with cluster(tmp_path, 2) as running:

        def lose_a_worker(key: str) -> None:
            if "log/documents/part" in key and running.workers[0].poll() is None:
                running.workers[0].kill()
                running.workers[0].wait()

        store.before_write = lose_a_worker
        settings = lake_settings(site, tmp_path / "data", store, executor=running.executor)
        with begun(settings, 0) as refresh:
            read(refresh)
        store.before_write = None
        assert running.workers[0].returncode == -signal.SIGKILL
    alone = lake_settings(site, tmp_path / "alone", None)
    with begun(alone, 0) as refresh:
        read(refresh)
    assert log_rows(settings).equals(log_rows(alone))


def test_the_shards_of_a_sweep_commit_to_the_store_what_one_sweep_does(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "URLS_OF_A_SHARD", 1)
    monkeypatch.setattr(shards, "STARTS_A_SECOND", 1)
    lake = ObjectStore.at("s3://lake/of/ours", LakeOptions(endpoint=store.endpoint, allow_http=True), tmp_path / "data")
    with rehearse(test_links_shards.WEB) as web:
        alone, log = test_links_shards.night(web, tmp_path / "alone", Executor(kind="serial"))
    with rehearse(test_links_shards.WEB) as web:  # whose sequences begin anew
        sharded, log_of_shards = test_links_shards.night(web, lake, Executor(workers=3))
    assert sharded == alone
    assert test_links_shards.observed(log_of_shards) == test_links_shards.observed(log)
    assert not list(log_of_shards.store.spools.glob("*/*")), "all is in the log"


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_polars_reads_the_logs_as_they_are(store: Store, site: Path, tmp_path: Path, kind: str) -> None:
    settings = lake_settings(site, tmp_path / "data", store if kind == "store" else None)
    whole_night(settings, 0)
    place = f"{open_lake(settings).place}/log"
    options = {"aws_endpoint_url": store.endpoint, "aws_allow_http": "true"} if kind == "store" else None
    documents = pl.scan_delta(f"{place}/documents", storage_options=options)
    found = documents.filter(pl.col("status") == "accepted").select("path", pl.col("item").struct.field("title"))
    assert sorted(found.collect().rows()) == [
        ("_news/2026-01-01-a.md", "One"),
        ("_news/2026-01-01-b.md", "Two"),
        ("_news/2026-01-01-c.md", "Three"),
    ]
    events = pl.scan_delta(f"{place}/refreshes", storage_options=options).select("event").collect()
    assert events["event"].to_list().count("published") == 1
    checks = pl.scan_delta(f"{place}/link_checks", storage_options=options).select(pl.len()).collect()
    assert checks.item() == 2


def test_a_lake_in_a_folder_loads_no_driver_of_stores(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert told.stdout.split() == ["[]"]


# Kills


def _killed_at(store: Store, write: int, settings: Settings, night: int) -> bool:
    """Run a night in a process that is killed just before its `write`-th write; whether it had that many."""
    done = 0
    process = FORKS.Process(target=whole_night, args=(settings, night, store.environment))

    def count(key: str) -> None:
        nonlocal done
        done += 1
        if done == write:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            raise ConnectionAbortedError  # the write is not done

    store.before_write = count
    process.start()
    process.join()
    store.before_write = None
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _worth_a_kill(writes: list[tuple[str, str]]) -> list[int]:
    """The first write that is of each of these, and the last of all; with EVERY_KILL in the environment, each."""
    if "EVERY_KILL" in os.environ:
        return [*range(1, len(writes) + 1)]
    names = [key for key, _ in writes]
    kinds = ("log/documents/part", "log/documents/_delta_log", "log/link_checks/_delta_log", "stories", "current.json")
    return [*(1 + next(n for n, name in enumerate(names) if kind in name) for kind in kinds), len(writes)]


@dataclass(frozen=True, slots=True)
class Begun:
    """A lake and a data_dir as a night left them, to begin with again and again."""

    store: Store
    data_dir: Path
    objects: dict[str, bytes]
    kept: Path

    @classmethod
    def by(cls, store: Store, data_dir: Path) -> "Begun":
        client = store.client()
        objects = {key: client.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys(store)}
        return cls(store, data_dir, objects, data_dir.rename(data_dir.with_name("kept")))

    def again(self) -> None:
        self.store.empty()
        self.store.client().create_bucket(Bucket="lake")
        self.store.seed("lake", self.objects)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.copytree(self.kept, self.data_dir)
        self.store.writes.clear()


@pytest.mark.timeout(300 if "EVERY_KILL" not in os.environ else 3600)
def test_a_kill_between_any_two_writes_is_made_good_by_the_next_refresh(
    store: Store, site: Path, tmp_path: Path
) -> None:
    """Everything is as if nobody had killed it; only what was not yet observed of the links is missing."""
    settings = lake_settings(site, tmp_path / "data", store)
    whole_night(settings, 0)
    write_archive(site, a="One more", d="Four")
    (site / "_news" / "2026-01-01-b.md").unlink()
    begun_with = Begun.by(store, settings.data_dir)
    begun_with.again()
    whole_night(settings, 1)
    writes = [*store.writes]
    whole_night(settings, 2)
    undisturbed, rows, links = tables_of(settings), log_rows(settings), observed(settings)
    for number in _worth_a_kill(writes):
        begun_with.again()
        assert _killed_at(store, number, settings, 1)
        whole_night(settings, 2)
        what = f"killed before write {number}, {writes[number - 1]}"
        tables = tables_of(settings)
        assert [name for name in tables if name[:9] == "coverage." and tables[name] != undisturbed[name]] == [], what
        assert log_rows(settings).equals(rows), what
        found = observed(settings)
        assert found == sorted(set(found)), what
        assert {url for url in links if "03-02" not in url} <= set(found) <= set(links), what

"""A refresh killed at any moment loses the work in hand and nothing else: the next one ends where an undisturbed one
would have."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
import yaml

from bench.site import write_site
from pipeline.assets.documents import take_in
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.session import open_session
from pipeline.settings import Executor, Links, Settings, Source, load_settings
from pipeline.warehouse import query, read_file
from pipeline.warehouse.building import BUILDING
from tests.conftest import SEED_SITE
from tests.killable import Killable, started, take_in_documents
from tests.refreshing import refresh

STORIES = 2_050  # more than the files that are worth worker processes
NIGHT = datetime(2026, 3, 1, 2, tzinfo=UTC)
KILLS = 6


@dataclass(frozen=True, slots=True)
class Site:
    """An archive, and the state of a lake that a refresh of it begins with (None: there is none yet)."""

    folder: Path
    lake: Path | None

    @property
    def source(self) -> Source:
        return Source(name="big", path=self.folder)

    def begin(self, data_dir: Path) -> None:
        if self.lake is not None:
            shutil.copytree(self.lake, data_dir)

    def settings(self, data_dir: Path) -> Settings:
        return Settings(
            data_dir=data_dir, sources=(self.source,), executor=Executor(kind="serial"), links=Links(enabled=False)
        )

    def refresh(self, data_dir: Path, night: int) -> None:
        now = (NIGHT + timedelta(days=night)).isoformat()
        with begin_refresh(self.settings(data_dir), f"night {night}", now) as refresh:
            take_in(refresh, self.source)


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """The log that a refresh leaves when nobody kills it, and how long the killable process takes for it."""

    site: Site
    kind: str
    log: pa.Table
    seconds: float


def log_of(data_dir: Path) -> pa.Table:
    """The documents log, whoever wrote it and when."""
    with open_session("1GB", data_dir / "scratch", Logs.of(data_dir / "lake")) as session:
        return session.table(
            "select * exclude (seen_at, refresh_id) from log.documents order by source, path, version_id, status"
        )


def start_refresh(site: Site, kind: str, data_dir: Path, night: int = 1) -> Killable:
    """Starts a refresh in a process group of its own and returns when its work begins."""
    return started(take_in_documents, site.folder, data_dir, kind, (NIGHT + timedelta(days=night)).isoformat())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Undisturbed]:
    """A first refresh, read by worker processes, and a second one of the archive with every fourth story changed, some
    gone and some new."""
    first = Site(tmp_path_factory.mktemp("first") / "site", None)
    write_site(first.folder, stories=STORIES, related=1)
    lake = tmp_path_factory.mktemp("lake") / "data"
    first.refresh(lake, 0)
    second = Site(Path(shutil.copytree(first.folder, tmp_path_factory.mktemp("second") / "site")), lake)
    for number, file in enumerate(sorted((second.folder / "_news").glob("*.md"))):
        if number % 40 == 1:
            file.rename(file.with_name(f"moved-{file.name}"))
        elif number % 4 == 0:
            file.write_bytes(file.read_bytes().replace(b"\nquality: ", b"\nquality: 1", 1) + b"More.\n")
    found = []
    for site, kind in ((first, "processes"), (second, "serial")):
        data_dir = tmp_path_factory.mktemp("undisturbed") / "data"
        site.begin(data_dir)
        process = start_refresh(site, kind, data_dir)
        began = time.monotonic()
        assert process.ended() == 0
        found.append(Undisturbed(site, kind, log_of(data_dir), time.monotonic() - began))
    return found


@pytest.mark.parametrize("number", range(KILLS))
def test_the_log_after_a_kill_and_a_clean_refresh_is_that_of_an_undisturbed_one(
    undisturbed: list[Undisturbed], tmp_path: Path, number: int
) -> None:
    """The moments are spread over the time that the refresh takes, each somewhere in its own stretch of it."""
    run = undisturbed[number % 2]
    part = number // 2 + Random(number).random()
    data_dir = tmp_path / "data"
    run.site.begin(data_dir)
    process = start_refresh(run.site, run.kind, data_dir)
    time.sleep(run.seconds * part / (KILLS // 2))
    process.kill()
    run.site.refresh(data_dir, 2)
    assert log_of(data_dir).equals(run.log)


@pytest.mark.parametrize("which", [0, 1])
def test_a_kill_between_two_appends_keeps_the_first_and_repeats_nothing(
    undisturbed: list[Undisturbed], tmp_path: Path, which: int
) -> None:
    run = undisturbed[which]
    data_dir = tmp_path / "data"
    run.site.begin(data_dir)
    commits = data_dir / "lake" / "log" / "documents" / "_delta_log"
    before = len(list(commits.glob("*.json")))
    process = start_refresh(run.site, run.kind, data_dir)
    while len(list(commits.glob("*.json"))) < before + 2:
        time.sleep(0.001)
    assert process.kill(), "it had more to append"
    kept = log_of(data_dir).num_rows
    assert 0 < kept < run.log.num_rows
    run.site.refresh(data_dir, 2)
    assert log_of(data_dir).equals(run.log)


def test_the_workers_of_a_process_that_is_killed_alone_end_too(undisturbed: list[Undisturbed], tmp_path: Path) -> None:
    """As when the kernel kills the largest process. A worker holds the pipe that the parent wrote its output to."""
    run = undisturbed[0]
    commits = tmp_path / "data" / "lake" / "log" / "documents" / "_delta_log"
    killable = start_refresh(run.site, run.kind, tmp_path / "data")
    while not commits.exists():
        time.sleep(0.001)
    killable.process.kill()
    if not killable.told.poll(30):  # until nobody holds the other end
        killable.kill()
        pytest.fail("its workers are still there")
    with pytest.raises(EOFError):
        killable.told.recv()


@pytest.mark.timeout(300)  # most of two whole refreshes and a third
def test_a_whole_refresh_that_was_killed_twice_is_made_good_by_the_next(
    refreshed_sample: Settings, tmp_path: Path
) -> None:
    """With every table, the warehouse and the report: killed while the tables are made, then near publication."""
    source = {"name": "sample", "path": str(SEED_SITE)}
    config = tmp_path / "newsledger.yaml"
    config.write_text(yaml.safe_dump({"data_dir": "data", "sources": [source], "links": {"enabled": False}}), "utf-8")
    command = [sys.executable, "-m", "pipeline.cli", "refresh", "--config", str(config)]
    data_dir = tmp_path / "data"
    for sight in ("lake/tables/*/coverage.articles-*.parquet", f"warehouse/*{BUILDING}"):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        while not [*data_dir.glob(sight)]:
            assert process.poll() is None
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it had more to do"
    assert not (data_dir / "warehouse.duckdb").exists()
    refresh(load_settings(config))
    assert log_of(data_dir).equals(log_of(refreshed_sample.data_dir))
    assert published_rows(data_dir) == published_rows(refreshed_sample.data_dir)
    assert not list((data_dir / "warehouse").glob(f"*{BUILDING}*"))


def published_rows(data_dir: Path) -> list[dict[str, object]]:
    """How many rows each table of content has in the published warehouse."""
    statement = "select relation, row_count from ops.catalog where relation like 'coverage.%' order by relation"
    rows: list[dict[str, object]] = query(read_file(data_dir / "warehouse.duckdb"), statement).to_pylist()
    return rows

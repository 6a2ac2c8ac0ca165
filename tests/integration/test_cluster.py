"""On a Dask cluster of real processes, one of which dies, the rows are those of one process."""

import os
import signal
import subprocess
import time
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.assets.documents import take_in
from pipeline.content import intake
from pipeline.errors import ExecutorError
from pipeline.executors import open_workers
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Executor, Links, Settings, Source
from tests.clusters import cluster

FILES = 2_400
NIGHT = "2026-03-01T02:00:00Z"
ARTICLE = """---
category: news
title: Story {number}
webUrl: https://daily.example/{number}
quality: {number}
related:
- title: Another side of {number}
  webUrl: https://weekly.example/{number}
---
Body {number}.
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    news = tmp_path / "site" / "_news"
    news.mkdir(parents=True)
    for number in range(FILES):
        (news / f"2026-01-01-{number:05}.md").write_text(ARTICLE.format(number=number), "utf-8")
    return tmp_path / "site"


def taken_in(site: Path, data_dir: Path, executor: Executor) -> pa.Table:
    """The documents log after one refresh, in the order of its paths."""
    source = Source(name="site", path=site)
    settings = Settings(data_dir=data_dir, sources=(source,), executor=executor, links=Links(enabled=False))
    with begin_refresh(settings, "run", NIGHT) as refresh:
        take_in(refresh, source)
        tables = [pq.read_table(file) for file in refresh.logs.documents.files()]
    return pa.concat_tables(tables).sort_by("path")


@pytest.mark.timeout(120)
def test_a_cluster_that_loses_a_worker_reads_what_one_process_reads(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "SHARE_FILES", range(100, 101))  # enough shares to die in the middle of
    expected = taken_in(site, tmp_path / "serial", Executor(kind="serial"))
    assert expected.num_rows == FILES
    with cluster(tmp_path, 2) as running:
        log = tmp_path / "cluster" / "lake" / "log" / "documents"
        killed = Thread(target=_kill_after_a_part, args=(log, running.workers[0]))
        killed.start()
        found = taken_in(site, tmp_path / "cluster", running.executor)
        killed.join()
    assert running.workers[0].returncode == -signal.SIGKILL
    assert found.equals(expected)


def _kill_after_a_part(log: Path, worker: "subprocess.Popen[bytes]") -> None:
    while not list(log.glob("*.parquet")):
        time.sleep(0.002)
    worker.kill()
    worker.wait()


def test_no_scheduler_and_no_worker_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.executors._CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(ExecutorError, match=r"tcp://127\.0\.0\.1:9"),
        open_workers(Executor(kind="dask", address="tcp://127.0.0.1:9")),
    ):
        pass
    monkeypatch.undo()
    with (
        cluster(tmp_path, 0) as running,
        pytest.raises(ExecutorError, match="no worker"),
        open_workers(running.executor),
    ):
        pass


def test_a_worker_process_that_dies_is_told() -> None:
    def lose_a_worker() -> None:
        with open_workers(Executor(workers=1)) as workers:
            assert workers is not None
            workers.pool.submit(os._exit, 9).result()

    with pytest.raises(ExecutorError, match=r"executor\.workers"):
        lose_a_worker()

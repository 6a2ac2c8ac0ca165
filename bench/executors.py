"""The same files read into the log by one process, by a pool of two, and by a Dask cluster of two workers.

The rows must be the same whoever reads. The pool starts with the stage, as it does each night, and that counts; the
cluster is there already, as a cluster is, and has Newsledger imported.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from statistics import median
from typing import Any

from distributed import Client

from bench.alone import alone
from bench.archive import Archive, write_archive
from bench.intake import configured
from bench.targets import Target
from pipeline.assets.documents import take_in
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Executor
from tests.clusters import cluster

WORKERS = 2
DASK_FACTOR = 1.7
_NIGHT = "2026-03-01T02:00:00Z"
_ROWS = """
select count(*), sum(hash(documents)::hugeint)::varchar
from (select * exclude (refresh_id) from log.documents) as documents
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A documents stage: its seconds, how many rows it wrote, and a sum over all of them that no order changes."""

    seconds: float
    rows: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class ExecutorFigures:
    """Every stage by what ran it."""

    archive: Archive
    stages: dict[str, list[Stage]]

    def seconds(self, name: str) -> float:
        return median(stage.seconds for stage in self.stages[name])

    def factor(self, name: str) -> float:
        """Serial over it; the median of those of the runs."""
        pairs = zip(self.stages["serial"], self.stages[name], strict=True)
        return median(serial.seconds / other.seconds for serial, other in pairs)


def measure_executors(scratch: Path, articles: int, related: int, runs: int) -> ExecutorFigures:
    """Each in turn, `runs` times. Raises ValueError where two wrote other rows."""
    archive = write_archive(scratch / "site", articles, related)
    connect: Any = Client  # its calls have no types
    with cluster(scratch, WORKERS) as made:
        with connect(made.address, set_as_default=False) as client:
            client.run(import_module, "pipeline.content")
        executors = {
            "serial": Executor(kind="serial"),
            "processes": Executor(kind="processes", workers=WORKERS),
            "dask": made.executor,
        }
        stages: dict[str, list[Stage]] = {name: [] for name in executors}
        for _ in range(runs):
            for name, executor in executors.items():
                stages[name].append(alone(WORKERS, stage_once, archive.folder, scratch / "data", executor))
                rmtree(scratch / "data")
    figures = ExecutorFigures(archive, stages)
    found = {stage.rows for each in stages.values() for stage in each}
    if len(found) != 1 or next(iter(found))[0] != archive.files:
        raise ValueError(f"the executors wrote (rows, sum) {found}, not one and the same of {archive.files} files")
    return figures


def stage_once(site: Path, data_dir: Path, executor: Executor) -> Stage:
    """The documents stage of a first night."""
    source, settings = configured(site, data_dir, executor)
    with begin_refresh(settings, "run", _NIGHT) as refresh:
        start = time.perf_counter()
        take_in(refresh, source)
        seconds = time.perf_counter() - start
        with refresh.session(refresh.logs.documents) as session:
            return Stage(seconds, session.run(_ROWS)[0])


def targets(figures: ExecutorFigures) -> Iterator[Target]:
    """What a cluster is held to."""
    what = f"serial ÷ Dask, {WORKERS} workers, documents stage; {figures.archive.files:,} files"
    yield Target(what, figures.factor("dask"), "at least", DASK_FACTOR, "one process")


def lines(figures: ExecutorFigures) -> Iterator[str]:
    """Medians of each executor."""
    yield f"{f'documents stage, {figures.archive.files:,} files, {WORKERS} workers':<52}{'seconds':>10}{'serial ÷':>10}"
    told = {
        "serial": "one process",
        "processes": "pool of processes, their start counted",
        "dask": "Dask cluster, there already",
    }
    for name, what in told.items():
        yield f"  {what:<50}{figures.seconds(name):>10.2f}{figures.factor(name):>10.2f}"
    yield f"  the rows are the same: {next(iter(figures.stages['serial'])).rows[0]:,}"

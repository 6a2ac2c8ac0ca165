"""What a night costs as the archive grows: seconds, memory and bytes on disk, cold, with nothing changed and with one
file in a hundred changed; by which power of the number of files, and what that makes of ten and of a hundred million.

Of a night the two stages are measured that read the archive: files to the documents log, and the log to the coverage
tables; each in a process of its own.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from shutil import rmtree
from statistics import linear_regression

from bench.alone import Watched, watched
from bench.archive import Archive, write_archive
from bench.intake import (
    CHANGED_SHARE,
    Documents,
    all_cores,
    configured,
    documents_once,
    executor_of,
    give_new_titles,
    let_settle,
    processor_seconds,
)
from bench.targets import Target
from pipeline.assets.coverage import coverage_builder
from pipeline.lake.refresh import begin_refresh

MEMORY_GB = 1
FLAT_FACTOR = 1.25
"""What "flat" is taken to mean: the largest archive takes so many times the memory of the smallest."""
UNCHANGED_SECONDS = 60
"""Of a night in which nothing changed, at a million files."""
FURTHER = (10_000_000, 100_000_000)
_BUSY = 0.8
"""The share of its time from which on a core counts as what a stage waits for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Seconds on the clock and of a core, and the peak resident bytes of its process and of each of its workers."""

    seconds: float
    processor: float
    parent: int
    workers: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.parent + sum(self.workers)

    @property
    def busy(self) -> float:
        """How many cores, on average."""
        return self.processor / self.seconds

    @property
    def bound(self) -> str:
        """What it waits for."""
        cores = all_cores()
        if self.busy >= _BUSY * cores:
            return f"the processor: {self.busy:.1f} of {cores} cores"
        if self.busy >= _BUSY:
            return f"one core: {self.busy:.1f} busy of {cores}"
        return f"disk or others: only {self.busy:.1f} of {cores} cores busy"


@dataclass(frozen=True, slots=True)
class Night:
    """Both stages, and the bytes of the lake and of what is remembered of the files after them."""

    documents: Stage
    tables: Stage
    disk_bytes: int

    @property
    def seconds(self) -> float:
        return self.documents.seconds + self.tables.seconds


@dataclass(frozen=True, slots=True)
class Size:
    """Three nights of an archive of so many files."""

    files: int
    cold: Night
    unchanged: Night
    changed: Night

    def nights(self) -> dict[str, Night]:
        return {"cold": self.cold, "nothing changed": self.unchanged, "1 % changed": self.changed}

    @property
    def peak(self) -> int:
        return max(night.documents.total for night in self.nights().values())


def measure_growth(scratch: Path, articles: int, related: int) -> Size:
    """Write an archive of so many news files into `scratch`, take it in, and twice more; about 20 KB a file."""
    archive = write_archive(scratch / "site", articles, related)
    let_settle()
    data = scratch / "data"
    cold = _night(archive, data, "cold", archive.files)
    unchanged = _night(archive, data, "unchanged", 0)
    files = sorted((archive.folder / "_news").rglob("*.md"))[::CHANGED_SHARE]
    give_new_titles(files, "Grown")
    let_settle()
    changed = _night(archive, data, "changed", len(files))
    rmtree(scratch)
    return Size(archive.files, cold, unchanged, changed)


def tables_once(site: Path, data_dir: Path, run_id: str) -> tuple[float, float]:
    """The coverage tables of a refresh from the log: seconds on the clock and of a core."""
    _, settings = configured(site, data_dir, executor_of(all_cores()))
    with begin_refresh(settings, run_id, None) as refresh:
        start, spent = time.perf_counter(), processor_seconds()
        with refresh.session() as session:
            coverage_builder(refresh, session).build("coverage")
        return time.perf_counter() - start, processor_seconds() - spent


def _night(archive: Archive, data: Path, name: str, accepted: int) -> Night:
    cores = all_cores()
    read: Watched[Documents] = watched(cores, documents_once, archive.folder, data, executor_of(cores), name)
    taken = read.result
    if (taken.counts.seen, taken.counts.accepted) != (archive.files, accepted):
        raise ValueError(f"{name}: {taken.counts.accepted} of {taken.counts.seen} were accepted, not {accepted}")
    built = watched(cores, tables_once, archive.folder, data, f"{name}, tables")
    kept = [file for folder in ("lake", "cache") for file in (data / folder).rglob("*") if file.is_file()]
    return Night(
        Stage(taken.seconds, taken.processor, read.parent, read.workers),
        Stage(*built.result, built.parent, built.workers),
        sum(file.stat().st_size for file in kept),
    )


def targets(sizes: Sequence[Size]) -> Iterator[Target]:
    """Memory of the documents stage at every size, what it grows by, and a night without change."""
    for size in sizes:
        what = f"peak memory of all processes, GB; {size.files:,} files"
        yield Target(what, size.peak / 1e9, "at most", MEMORY_GB)
    if len(sizes) > 1:
        least, most = sizes[0], sizes[-1]
        what = f"peak memory of {most.files:,} files ÷ that of {least.files:,}"
        yield Target(what, most.peak / least.peak, "at most", FLAT_FACTOR)
    for size in sizes:
        if size.files >= 1_000_000:
            what = f"seconds of a night without change; {size.files:,} files"
            yield Target(what, size.unchanged.documents.seconds, "at most", UNCHANGED_SECONDS)


def lines(sizes: Sequence[Size]) -> Iterator[str]:
    """Each night of each size; what follows for larger ones; and what each stage waits for."""
    yield f"{'':<40}{'seconds':>10}{'CPU':>10}{'µs a file':>11}{'MB':>8}{'parent':>8}  workers"
    for size in sizes:
        for name, night in size.nights().items():
            for stage, what in ((night.documents, "documents"), (night.tables, "tables")):
                workers = ", ".join(f"{peak / 1e6:,.0f}" for peak in stage.workers)
                told = f"{size.files:,} files, {name}: {what}"
                yield (
                    f"  {told:<38}{stage.seconds:>10.2f}{stage.processor:>10.2f}"
                    f"{stage.seconds / size.files * 1e6:>11.1f}{stage.total / 1e6:>8,.0f}{stage.parent / 1e6:>8,.0f}"
                    f"  {workers}"
                ).rstrip()
            yield f"  {f'{size.files:,} files, {name}: disk':<38}{night.disk_bytes / size.files:>31,.0f} bytes a file"
    yield ""
    if len(sizes) > 1:
        yield from _curves(sizes)
    yield from _bottlenecks(sizes[-1])


def _curves(sizes: Sequence[Size]) -> Iterator[str]:
    """Least squares over all sizes. What is beyond them is reckoned from the largest, time and space at least in step
    with the files: what a small archive costs besides must not make a large one look cheap."""
    columns = "".join(f"{f'{files:,}':>15}" for files in FURTHER)
    yield f"{'grows with the files to the power of':<40}{'power':>10}{'measured':>12}{columns}  files"
    curves: list[tuple[str, float, Callable[[Night], float], str]] = [
        ("seconds", 1, lambda night: night.seconds, "s"),
        ("memory, documents", 0, lambda night: night.documents.total / 1e9, "GB"),
        ("memory, tables", 0, lambda night: night.tables.total / 1e9, "GB"),
        ("disk", 1, lambda night: night.disk_bytes / 1e9, "GB"),
    ]
    for name in sizes[0].nights():
        for what, least, of, unit in curves:
            values = [of(size.nights()[name]) for size in sizes]
            power = fitted_power([size.files for size in sizes], values)
            further = (values[-1] * (files / sizes[-1].files) ** max(least, power) for files in FURTHER)
            reckoned = "".join(f"{value:>13,.1f}{unit:>2}" for value in further)
            yield f"  {f'{name}: {what}':<38}{power:>10.2f}{values[-1]:>10,.1f}{unit:>2}{reckoned}"


def fitted_power(files: Sequence[int], values: Sequence[float]) -> float:
    """The power of the number of files that the values follow best."""
    return linear_regression([*map(log, files)], [*map(log, values)]).slope


MOVED_BY = {
    "documents": "executor.workers on a machine with more cores, executor.kind: dask on several",
    "walk": "no setting: it is one walk with a stat a file, which a source in git or an object store is without",
    "tables": "more cores, and warehouse.memory_limit: what is above it spills to data_dir/scratch",
    "disk": "a faster disk under data_dir; the archive and the lake on disks of their own",
}
"""What to turn, by what a stage waits for; docs/growing.md explains it."""


def _bottlenecks(size: Size) -> Iterator[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield f"what a night of {size.files:,} files waits for; this machine has {memory / 1e9:,.0f} GB of memory"
    for name, night in size.nights().items():
        what, stage = max(
            (("documents", night.documents), ("tables", night.tables)), key=lambda entry: entry[1].seconds
        )
        cause = "disk" if stage.busy < _BUSY else what
        if cause == "documents" and night is size.unchanged:
            cause = "walk"
        share = stage.seconds / night.seconds
        yield f"  {name}: {share:.0%} of it in {what}, on {stage.bound}; moved by {MOVED_BY[cause]}"

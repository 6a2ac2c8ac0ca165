"""Files to Parquet through the pipeline's own stages: find, read, hash, parse and extract into the documents log, then
the log to the coverage tables.

Each figure is taken in a process of its own, which has imported everything before the clock starts; one core means a
process pinned to one. Floor and pipeline take turns on the same files. A run whose tables do not hold what was written
is an error, not a figure.
"""

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.alone import alone
from bench.archive import Archive
from bench.floor import Floor, Unchanged, floor, unchanged_floor
from pipeline.assets.coverage import coverage_builder
from pipeline.assets.documents import take_in
from pipeline.content import Counts
from pipeline.content.stat_cache import RACY_NS
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Executor, Links, Settings, Source

CHANGED_SHARE = 100
"""One file of so many is changed."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One refresh: seconds of the documents stage and of all up to the coverage tables, files parsed, and rows."""

    documents_seconds: float
    refresh_seconds: float
    files_seen: int
    files_parsed: int
    stories: int
    mentions: int
    articles: int


@dataclass(frozen=True, slots=True)
class Documents:
    """One documents stage: seconds on the clock, seconds of a core, and what it counted."""

    seconds: float
    processor: float
    counts: Counts


@dataclass(frozen=True, slots=True)
class Changed:
    """The documents stage after some files were given a new title."""

    documents_seconds: float
    files: int


@dataclass(frozen=True, slots=True)
class Run:
    """The floor and the pipeline on one archive with so many cores: `first` reads it all, at `second` nothing has
    changed, at `third` one file in a hundred."""

    cores: int
    floor: Floor
    first: Pass
    unchanged: Unchanged
    second: Pass
    third: Changed


def all_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(archive: Archive, scratch: Path, runs: int) -> tuple[Run, ...]:
    """Take the archive in `runs` times with one core and with all."""
    let_settle()
    return tuple(
        _run(archive, scratch / f"{number}-{cores}", number, cores)
        for number in range(runs)
        for cores in dict.fromkeys((1, all_cores()))
    )


def refresh_once(site: Path, data_dir: Path, executor: Executor, run_id: str) -> Pass:
    """One refresh of the archive up to the coverage tables, as the assets make it."""
    source, settings = configured(site, data_dir, executor)
    start = time.perf_counter()
    with begin_refresh(settings, run_id, None) as refresh:
        begun = time.perf_counter()
        counts = take_in(refresh, source)
        taken_in = time.perf_counter()
        with refresh.session() as session:
            built = coverage_builder(refresh, session).build("coverage")
        end = time.perf_counter()
    stories, mentions, articles = (built[f"coverage.{name}"].table.rows for name in ("stories", "mentions", "articles"))
    return Pass(taken_in - begun, end - start, counts.seen, counts.parsed, stories, mentions, articles)


def documents_once(site: Path, data_dir: Path, executor: Executor, run_id: str) -> Documents:
    """Only the documents stage of a refresh."""
    source, settings = configured(site, data_dir, executor)
    with begin_refresh(settings, run_id, None) as refresh:
        start, spent = time.perf_counter(), processor_seconds()
        counts = take_in(refresh, source)
        return Documents(time.perf_counter() - start, processor_seconds() - spent, counts)


def processor_seconds() -> float:
    """Of this process and of those of its own that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def give_new_titles(files: Sequence[Path], mark: str) -> None:
    """Change the main title of each of the files: another meaning, the same links."""
    for file in files:
        content = file.read_bytes()
        changed = content.replace(b'\ntitle: "', f'\ntitle: "{mark} '.encode(), 1)
        if changed == content:
            raise ValueError(f"{file}: has no title to change")
        file.write_bytes(changed)


def check_rows(name: str, made: Pass, archive: Archive) -> None:
    """Raises ValueError where a refresh did not find what was written."""
    held = (archive.files, archive.stories, archive.mentions, archive.articles)
    found = (made.files_seen, made.stories, made.mentions, made.articles)
    if found != held:
        raise ValueError(f"the {name} refresh found (files, stories, mentions, articles) {found}, written were {held}")


def _run(archive: Archive, scratch: Path, number: int, cores: int) -> Run:
    site, data_dir, executor = archive.folder, scratch / "data", executor_of(cores)
    least = alone(cores, floor, site / "_news", scratch / "floor", cores)
    first = alone(cores, refresh_once, site, data_dir, executor, "first")
    unchanged = alone(cores, unchanged_floor, site)
    second = alone(cores, refresh_once, site, data_dir, executor, "second")
    check_rows("first", first, archive)
    check_rows("second", second, archive)
    if second.files_parsed:
        raise ValueError(f"nothing had changed, but {second.files_parsed} files were parsed")
    files = sorted((site / "_news").rglob("*.md"))[number::CHANGED_SHARE]
    give_new_titles(files, f"Run {number}.{cores}")
    let_settle()
    third = alone(cores, documents_once, site, data_dir, executor, "third")
    counts = third.counts
    if (counts.parsed, counts.accepted) != (len(files), len(files)):
        raise ValueError(f"{len(files)} files had changed, but {counts.parsed} were parsed, {counts.accepted} accepted")
    return Run(cores, least, first, unchanged, second, Changed(third.seconds, len(files)))


def let_settle() -> None:
    """Files just written are hashed again by rule, which is not what is measured."""
    time.sleep(RACY_NS / 1e9 + 0.1)


def executor_of(cores: int) -> Executor:
    """The executor for so many cores."""
    return Executor(kind="serial" if cores == 1 else "processes")


def configured(site: Path, data_dir: Path, executor: Executor) -> tuple[Source, Settings]:
    source = Source(name="bench", path=site)
    settings = Settings(data_dir=data_dir, sources=(source,), executor=executor, links=Links(enabled=False))
    return source, settings

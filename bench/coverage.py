"""The log to all coverage tables, beside the same joins and aggregates written by hand against ready columns, and what
a URL's forms cost.

Both sides write Parquet the same way, in a session with the same memory limit, each in a fresh process; the one
written by hand (`coverage.sql`) has its flat columns in memory and its URL forms made before its clock starts.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from shutil import rmtree
from statistics import median

import pyarrow.parquet as pq
from pydantic import ByteSize, TypeAdapter

from bench.alone import Watched, alone, watched
from bench.archive import Archive
from bench.intake import all_cores, configured, documents_once, executor_of
from bench.targets import Target
from pipeline.assets.coverage import coverage_builder
from pipeline.lake.logs import ROW_GROUP_ROWS
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import tables_read
from pipeline.lake.session import Session, literal, open_session
from pipeline.model.urls import url_forms
from pipeline.settings import Settings

BY_HAND_FACTOR = 1.5
URL_MICROSECONDS = 3
MEMORY_FACTOR = 1.5
"""Beside what DuckDB may hold stands Python with its libraries, 0.3 GB, and what DuckDB does not count."""
READY = {
    "items": "from staging.items",
    "uses": "from staging.written_urls",
    "urls": "select source, raw, has_userinfo as stripped_userinfo, urls.*"
    " from (select distinct source, raw, url_id, has_userinfo from staging.url_uses)"
    " inner join coverage.urls using (url_id)",
    "texts": "select distinct raw, text, twice_escaped from forms.texts",
    "versions": "from staging.spans",
}
"""The columns that the hand-written statements find ready, and what the pipeline has them in."""
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Made:
    """One coverage stage from a ready log: its seconds, and the rows of each table."""

    seconds: float
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class CoverageFigures:
    """All that was measured: seconds of the stage, of the hand-written statements, and microseconds a distinct URL."""

    archive: Archive
    memory_limit: str
    stages: tuple[Watched[Made], ...]
    by_hand: tuple[float, ...]
    urls: int
    url_microseconds: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Of a stage."""
        return median(stage.result.seconds for stage in self.stages)

    @property
    def factor(self) -> float:
        """The stage over the hand-written statements."""
        return self.seconds / median(self.by_hand)

    @property
    def peak(self) -> int:
        """Most resident bytes of a stage."""
        return max(stage.parent for stage in self.stages)


def measure_coverage(archive: Archive, scratch: Path, runs: int, memory_limit: str) -> CoverageFigures:
    """Take the archive in once, then make its coverage tables `runs` times, the pipeline and the hand taking turns."""
    data, ready = scratch / "data", scratch / "ready"
    alone(all_cores(), documents_once, archive.folder, data, executor_of(all_cores()), "first")
    alone(all_cores(), keep_ready, archive.folder, data, ready)
    stages, by_hand, urls = [], [], []
    for number in range(runs):
        stages.append(watched(all_cores(), tables_once, archive.folder, data, memory_limit, f"run{number}"))
        found = stages[-1].result.rows
        held = (found["coverage.stories"], found["coverage.mentions"], found["coverage.articles"])
        if held != (archive.stories, archive.mentions, archive.articles):
            raise ValueError(f"the tables hold {held}, the archive {archive}")
        by_hand.append(alone(all_cores(), tables_by_hand, ready, scratch / "hand", memory_limit, found))
        urls.append(alone(1, forms_once, ready))
    return CoverageFigures(
        archive,
        memory_limit,
        tuple(stages),
        tuple(by_hand),
        urls[0][0],
        tuple(seconds / count * 1e6 for count, seconds in urls),
    )


def tables_once(site: Path, data_dir: Path, memory_limit: str, run_id: str) -> Made:
    """Every coverage table from the log, as the asset makes them, none being there yet."""
    settings = _limited(site, data_dir, memory_limit)
    rmtree(data_dir / "lake" / "tables", ignore_errors=True)
    with begin_refresh(settings, run_id, None) as refresh:
        start = time.perf_counter()
        with refresh.session(refresh.logs.documents, refresh.logs.refreshes) as session:
            built = coverage_builder(refresh, session).build("coverage")
        return Made(time.perf_counter() - start, {name: entry.table.rows for name, entry in built.items()})


def keep_ready(site: Path, data_dir: Path, ready: Path) -> None:
    """Write the columns that the hand-written statements start from as Parquet."""
    settings = _limited(site, data_dir, "8GB")
    ready.mkdir(parents=True)
    with (
        begin_refresh(settings, "ready", None) as refresh,
        refresh.session(refresh.logs.documents, refresh.logs.refreshes) as session,
    ):
        builder = coverage_builder(refresh, session)
        for name, query in READY.items():
            for read in tables_read(query):
                builder.need(read)
            session.run(f"copy ({query}) to {literal(ready / f'{name}.parquet')} (format parquet)")


def tables_by_hand(ready: Path, scratch: Path, memory_limit: str, rows: dict[str, int]) -> float:
    """Seconds of the hand-written statements. Raises ValueError where a table has other rows than the pipeline's."""
    rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    parquet = f"(format parquet, compression zstd, compression_level 3, row_group_size {ROW_GROUP_ROWS})"
    text = Path(__file__).with_suffix(".sql").read_text("utf-8")
    statements = text.replace("{folder}", str(scratch)).replace("{parquet}", parquet).split(";\n")
    with open_session(memory_limit, scratch / "spill") as session:
        _load(session, ready)
        start = time.perf_counter()
        for statement in filter(str.strip, statements):
            session.run(statement)
        seconds = time.perf_counter() - start
    for file in scratch.glob("*.parquet"):
        made, expected = pq.read_metadata(file).num_rows, rows[f"coverage.{file.stem}"]
        if made != expected:
            raise ValueError(f"{file.stem}: {made} rows by hand, {expected} by the pipeline")
    return seconds


def forms_once(ready: Path) -> tuple[int, float]:
    """Distinct URLs, and the seconds of a core that their forms take, texts in and forms out."""
    raws = pq.read_table(ready / "urls.parquet", columns=["raw"])["raw"].to_pylist()
    start = time.process_time()
    for first in range(0, len(raws), _BATCH):
        list(zip(*map(url_forms, raws[first : first + _BATCH]), strict=True))
    return len(raws), time.process_time() - start


def _load(session: Session, ready: Path) -> None:
    session.run("create schema ready")
    for name in READY:
        session.run(f"create table ready.{name} as select * from read_parquet({literal(ready / f'{name}.parquet')})")


def _limited(site: Path, data_dir: Path, memory_limit: str) -> Settings:
    _, settings = configured(site, data_dir, executor_of(all_cores()))
    return settings.model_copy(
        update={"warehouse": settings.warehouse.model_copy(update={"memory_limit": memory_limit})}
    )


def targets(measured: Sequence[CoverageFigures]) -> Iterator[Target]:
    """What each size is held to."""
    for figures in measured:
        on = f"{figures.archive.mentions:,} mentions"
        yield Target(
            f"coverage tables ÷ the same by hand; {on}", figures.factor, "at most", BY_HAND_FACTOR, "DuckDB by hand"
        )
        spent = median(figures.url_microseconds)
        yield Target(
            f"forms of a distinct URL in Python, µs; {figures.urls:,} URLs", spent, "at most", URL_MICROSECONDS
        )
        yield Target(
            f"peak memory ÷ memory_limit of {figures.memory_limit}; {on}",
            figures.peak / TypeAdapter(ByteSize).validate_python(figures.memory_limit),
            "at most",
            MEMORY_FACTOR,
        )


def lines(measured: Sequence[CoverageFigures]) -> Iterator[str]:
    """Medians of each size, and by which power of the mentions the seconds grow."""
    yield f"{'log to coverage tables':<34}{'seconds':>10}{'by hand':>10}{'µs a mention':>14}{'peak MB':>10}"
    for figures in measured:
        seconds = figures.seconds
        yield (
            f"  {f'{figures.archive.mentions:,} mentions':<32}{seconds:>10.2f}{median(figures.by_hand):>10.2f}"
            f"{seconds / figures.archive.mentions * 1e6:>14.1f}{figures.peak / 1e6:>10,.0f}"
        )
    if len(measured) > 1:
        first, last = measured[0], measured[-1]
        power = log(last.seconds / first.seconds) / log(last.archive.mentions / first.archive.mentions)
        yield f"  seconds grow with the mentions to the power of {power:.2f}"

"""The tables of a snapshot to a published warehouse, beside DuckDB's own `create table as` from the same Parquet; what
a plain select of each mart takes, a search over all titles and excerpts, and the report.

The archive is taken in once and its links are given answers of two nights, by hand: what is measured is not how they
were asked. Each figure comes from a fresh process, ours and DuckDB's own taking turns. Seconds are of a core, summed
over the threads: a machine that does other work does not change them, and one that does not is done sooner.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import rmtree
from statistics import median

import duckdb

from bench.alone import Watched, alone, watched
from bench.archive import Archive
from bench.intake import all_cores, configured, executor_of
from bench.targets import Target
from pipeline.assets.coverage import coverage_builder
from pipeline.assets.documents import take_in
from pipeline.lake.refresh import Refresh, begin_refresh
from pipeline.lake.relations import relations
from pipeline.lake.session import listed, literal
from pipeline.lake.snapshots import Snapshots
from pipeline.model.logs import LINK_CHECKS
from pipeline.model.tables import TABLES
from pipeline.report import write_report
from pipeline.settings import Warehouse
from pipeline.warehouse import build_warehouse, publish_warehouse

OWN_FACTOR = 1.3
SELECT_SECONDS = 0.2
REPORT_SECONDS = 5
READ_MENTIONS = 1_100_000
"""Reading is held to its limits at a million mentions; of more, it is told."""
_NIGHTS = (date(2026, 3, 1), date(2026, 3, 8))
_ANSWERS = """
select
    md5(url_id::varchar || {night}) as check_id,
    {night}::date as night,
    'bench' as refresh_id,
    url_id::varchar as url_id,
    'request' as kind,
    'libcurl' as client,
    0 as hop,
    1 as attempt,
    fetch_url as request_url,
    'GET' as method,
    {night}::date + interval 2 hour as started_at,
    case when hash(url_id, {night}) % 20 = 0 then 404 when hash(url_id, {night}) % 33 = 0 then 403 else 200 end
        as http_status,
    16384 as bytes_read,
    0 as shard
from coverage.urls
where problem is null and hash(url_id) % {one_in} = 0
"""
"""One link in twenty is gone, on each night another; one in thirty-three shuts us out."""
ASKED = 2_000_000
"""Links that a night asks at most, forty times its default budget; the others of a larger archive still wait."""


@dataclass(frozen=True, slots=True)
class Read:
    """What reading the published file took, in seconds: each mart by a plain select into Arrow, and how many rows it
    has; a search; the report."""

    marts: dict[str, tuple[float, int]]
    search: float
    report: float


@dataclass(frozen=True, slots=True)
class WarehouseFigures:
    """All that was measured: seconds of builds, ours with the memory they took, and DuckDB's own; bytes of the file."""

    archive: Archive
    memory_limit: str
    builds: tuple[Watched[float], ...]
    own: tuple[float, ...]
    file_bytes: int
    reads: tuple[Read, ...]

    @property
    def seconds(self) -> float:
        return median(build.result for build in self.builds)

    @property
    def factor(self) -> float:
        return self.seconds / median(self.own)

    @property
    def peak(self) -> int:
        return max(build.parent for build in self.builds)

    @property
    def search(self) -> float:
        return median(read.search for read in self.reads)

    @property
    def report(self) -> float:
        return median(read.report for read in self.reads)

    def marts(self) -> dict[str, tuple[float, int]]:
        """Median seconds and rows of each mart, the slowest first."""
        names = self.reads[0].marts
        taken = {name: (median(read.marts[name][0] for read in self.reads), names[name][1]) for name in names}
        return dict(sorted(taken.items(), key=lambda entry: -entry[1][0]))


def measure_warehouse(archive: Archive, scratch: Path, runs: int, memory_limit: str) -> WarehouseFigures:
    """Take the archive in once, then build and publish its warehouse `runs` times."""
    data = scratch / "data"
    alone(all_cores(), snapshot_once, archive.folder, data, memory_limit)
    builds, own, reads = [], [], []
    for number in range(runs):
        builds.append(watched(all_cores(), publish_once, data, memory_limit, f"r{number}"))
        own.append(alone(all_cores(), create_once, data, scratch / "own.duckdb", memory_limit))
        reads.append(alone(all_cores(), read_once, data / "warehouse.duckdb", scratch / "report"))
    size = (data / "warehouse.duckdb").resolve().stat().st_size
    return WarehouseFigures(archive, memory_limit, tuple(builds), tuple(own), size, tuple(reads))


def snapshot_once(site: Path, data_dir: Path, memory_limit: str) -> None:
    """Every table of a refresh whose links were answered by hand."""
    source, settings = configured(site, data_dir, executor_of(all_cores()))
    rules = settings.warehouse.model_copy(update={"memory_limit": memory_limit})
    with begin_refresh(
        settings.model_copy(update={"warehouse": rules}), "bench", f"{_NIGHTS[-1]}T02:00:00Z"
    ) as refresh:
        take_in(refresh, source)
        with refresh.session() as session:
            coverage_builder(refresh, session).build("coverage")
        _answer(refresh)
        for schema in ("links", "reports", "ops"):
            with refresh.session() as session:
                refresh.builder(session).build(schema)


def _answer(refresh: Refresh) -> None:
    nulls = ", ".join(f'null as "{name}"' for name in LINK_CHECKS.names)
    with refresh.session() as session:
        refresh.builder(session).need("coverage.urls")
        links = session.value("select count(*) from coverage.urls")
        assert isinstance(links, int)
        for night in _NIGHTS:
            answers = _ANSWERS.format(night=literal(str(night)), one_in=-(-links // ASKED))
            told = session.table(f"select * from ({answers}) union all by name select {nulls} where false")
            refresh.logs.link_checks.append(told.select(LINK_CHECKS.names).cast(LINK_CHECKS))


def publish_once(data_dir: Path, memory_limit: str, refresh_id: str) -> float:
    """Seconds from the snapshot to the published warehouse."""
    snapshots = Snapshots(data_dir / "lake" / "tables")
    staged = snapshots.staged().tables
    tables = {name: (table, snapshots.paths(table)) for name, table in staged.items() if name in TABLES}
    for schema in ("macros", *{TABLES[name].schema for name in tables}):
        relations(schema)  # read when Dagster loads, long before
    start = time.process_time()
    built = build_warehouse(data_dir / "warehouse", refresh_id, tables, Warehouse(memory_limit=memory_limit))
    publish_warehouse(built, data_dir / "warehouse.duckdb", 1)
    return time.process_time() - start


def create_once(data_dir: Path, target: Path, memory_limit: str) -> float:
    """Seconds of DuckDB's own `create table as` from the same files into a file of the same storage version."""
    snapshots = Snapshots(data_dir / "lake" / "tables")
    target.unlink(missing_ok=True)
    rules: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "storage_compatibility_version": Warehouse().storage_version,
        "preserve_insertion_order": False,
    }
    start = time.process_time()
    with duckdb.connect(str(target), config=rules) as connection:
        connection.execute("set enable_progress_bar = false")
        for name, table in snapshots.staged().tables.items():
            if name in TABLES:
                connection.execute(f"create schema if not exists {TABLES[name].schema}")
                connection.execute(f"create table {name} as from read_parquet({listed(snapshots.paths(table))})")
        connection.execute("checkpoint")
    seconds = time.process_time() - start
    target.unlink()
    return seconds


def read_once(link: Path, folder: Path) -> Read:
    """Read every mart, search, and write the report."""
    with duckdb.connect(str(link), read_only=True) as connection:
        connection.execute("set enable_progress_bar = false")
        marts = {}
        for name in (name for name in TABLES if name.startswith("reports.")):
            start = time.process_time()
            rows = connection.sql(f"select * from {name}").to_arrow_table().num_rows
            marts[name] = (time.process_time() - start, rows)
        start = time.process_time()
        connection.sql("select * from search('tide lagoon') limit 20").to_arrow_table()
        search = time.process_time() - start
    start = time.process_time()
    write_report(link.resolve(), folder)
    report = time.process_time() - start
    rmtree(folder)
    return Read(marts, search, report)


def targets(measured: Sequence[WarehouseFigures]) -> Iterator[Target]:
    """What each size is held to."""
    for figures in measured:
        on = f"{figures.archive.mentions:,} mentions"
        yield Target(
            f"published ÷ DuckDB's own create table as; {on}", figures.factor, "at most", OWN_FACTOR, "raw DuckDB"
        )
        if figures.archive.mentions > READ_MENTIONS:
            continue
        name, (seconds, rows) = next(iter(figures.marts().items()))
        yield Target(
            f"select * of the slowest mart, s: {name}, {rows:,} rows; {on}", seconds, "at most", SELECT_SECONDS
        )
        yield Target(f"report, s; {on}", figures.report, "at most", REPORT_SECONDS)


def lines(measured: Sequence[WarehouseFigures]) -> Iterator[str]:
    """Medians of each size."""
    for figures in measured:
        yield f"{f'{figures.archive.mentions:,} mentions':<44}{'seconds':>10}{'MB':>10}"
        ours = f"published, memory_limit {figures.memory_limit}"
        yield f"  {ours:<42}{figures.seconds:>10.2f}{figures.peak / 1e6:>10,.0f}"
        yield f"  {'create table as':<42}{median(figures.own):>10.2f}"
        yield f"  {'file':<52}{figures.file_bytes / 1e6:>10,.0f}"
        yield f"  {'search':<42}{figures.search:>10.3f}"
        yield f"  {'report':<42}{figures.report:>10.2f}"
        for name, (seconds, rows) in figures.marts().items():
            yield f"  {name:<42}{seconds:>10.3f}{rows:>10,} rows"

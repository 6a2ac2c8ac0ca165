"""What a night costs for a million links as the log grows old: verdicts, states and what is due, before and after the
sweep, early and on the last of many nights, and all of history judged anew.

The log is written night by night through the product's own hands, a tenth of the links a night; the sweep itself is not
measured here.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from shutil import rmtree

import pyarrow as pa

from bench.alone import Watched, alone, watched
from bench.intake import all_cores
from bench.targets import Target
from pipeline.assets.links import due_tonight
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import relation
from pipeline.lake.session import Session, literal
from pipeline.lake.snapshots import Snapshots, TableFile
from pipeline.model.logs import LINK_CHECKS
from pipeline.model.tables import TABLES
from pipeline.settings import Executor, Settings, Source

SECONDS, MEMORY_GB, FLAT_FACTOR = 30, 2, 1.25
TURNS = 10
"""A link is asked every so many nights."""
GONE = 25
"""Of so many links one is gone."""
_FIRST = date(2026, 1, 1)

_URLS = """
create table coverage.urls as
select
    content_id('url', fetch_url) as url_id,
    fetch_url,
    fetch_url as identity_url,
    host,
    host as registrable_domain,
    null::varchar as problem,
    'page' as asked_as,
    1::integer as use_count
from (
    select
        'host' || number // 25 || '.example' as host,
        'https://host' || number // 25 || '.example/news/2026/story-' || number as fetch_url
    from range(?) as numbers (number)
)
"""
_ASKED = f"""
with

asked as (
    select
        url_id::varchar as url_id,
        fetch_url,
        number,
        number % {GONE} = 0 as is_gone
    from (
        select url_id, fetch_url, regexp_extract(fetch_url, '([0-9]+)$', 1)::bigint as number
        from read_parquet(?)
    )
    where number % {TURNS} = $2 % {TURNS}
)

select
    md5(url_id || client || $2::varchar)::uuid::varchar as check_id,
    date '{_FIRST}' + $2::integer as night,
    $3::varchar as refresh_id,
    url_id,
    'request' as kind,
    client,
    0::integer as hop,
    1::integer as attempt,
    fetch_url as request_url,
    'GET' as method,
    (date '{_FIRST}' + $2::integer)::timestamptz + to_seconds((number % 7000)::double) as started_at,
    if(is_gone, 404, 200)::integer as http_status,
    '203.0.113.' || number % 200 as ip,
    4::integer as ip_family,
    '2' as http_version,
    'text/html; charset=utf-8' as content_type,
    16384::bigint as bytes_read,
    if(is_gone, null, sha256(fetch_url || number % 3)) as fingerprint,
    'Story number ' || number || ' of the year' as title,
    '"' || md5(fetch_url) || '"' as etag,
    12.5 + number % 100 as total_ms,
    0::integer as shard
from asked
cross join (values ('libcurl'), ('requests')) as clients (client)
where client = 'libcurl' or is_gone
"""


@dataclass(frozen=True, slots=True)
class Build:
    """The tables of the links made once: seconds on the clock and of the processor."""

    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Age:
    """A night of a log so old: made before the sweep, with what is due, and after it."""

    night: int
    observations: int
    due: int
    before: Watched[Build]
    after: Watched[Build]

    @property
    def seconds(self) -> float:
        return self.before.result.seconds + self.after.result.seconds

    @property
    def cpu(self) -> float:
        return self.before.result.cpu + self.after.result.cpu

    @property
    def peak(self) -> int:
        return max(self.before.parent, self.after.parent)


@dataclass(frozen=True, slots=True)
class NightsFigures:
    """All that was measured."""

    links: int
    ages: tuple[Age, ...]
    anew: Watched[Build]
    log_bytes: int
    tables_bytes: int


def measure_nights(scratch: Path, links: int, nights: int) -> NightsFigures:
    """Live through the nights, measure after a quarter of them and at the end, and judge all of them anew. A link that
    is gone is known to be dead after thirty."""
    alone(all_cores(), write_urls, scratch, links)
    ages, written = [], 0
    for night in (nights // 4, nights):
        alone(all_cores(), write_nights, scratch, range(written, night))
        alone(all_cores(), build_once, scratch, night - 1, 23)
        before = watched(all_cores(), due_once, scratch, night)
        observations = alone(all_cores(), write_nights, scratch, range(night, night + 1))
        after = watched(all_cores(), build_once, scratch, night, 3)
        ages.append(Age(night, observations, before.result[1], _timed(before), after))
        written = night + 1
    _check(scratch, links, nights)
    tables = scratch / "lake" / "tables"
    sizes = [
        sum(file.stat().st_size for file in folder.rglob("*.parquet")) for folder in (scratch / "lake" / "log", tables)
    ]
    for folder in tables.glob("2*"):
        rmtree(folder)
    alone(all_cores(), write_urls, scratch, links)
    anew = watched(all_cores(), build_once, scratch, nights, 4)
    _check(scratch, links, nights)
    return NightsFigures(links, tuple(ages), anew, *sizes)


def _timed(watched_due: Watched[tuple[Build, int]]) -> Watched[Build]:
    return Watched(watched_due.result[0], watched_due.parent, watched_due.workers)


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, sources=(Source(name="none", path=folder),), executor=Executor(kind="serial"))


def _at(night: int, hour: int) -> str:
    return f"{_FIRST + timedelta(night)}T{hour:02}:00:00Z"


def write_urls(folder: Path, links: int) -> None:
    """Stage the URLs of the archive; of all else that it holds, nothing."""
    snapshots = Snapshots(folder / "lake" / "tables")
    target = snapshots.target("given", "coverage.urls")
    with begin_refresh(_settings(folder / "aside"), "urls", _at(0, 0)) as refresh, refresh.session() as session:
        session.run(_URLS, [links])
        session.write("coverage.urls", ("url_id",), target)
        staged = {"coverage.urls": TableFile(f"given/{target.name}", links, 1, "given")}
        for name, table in TABLES.items():
            if table.schema == "coverage" and name not in staged:
                session.run(table.definition())
                target = snapshots.target("given", name)
                staged[name] = TableFile(
                    f"given/{target.name}", session.write(name, relation(name).key, target), 1, "given"
                )
    (folder / "lake" / "tables" / "staged.json").unlink(missing_ok=True)
    snapshots.stage("given", staged)


def write_nights(folder: Path, nights: range) -> int:
    """Append the observations of each night as a sweep does; how many the last one has."""
    return [_write_night(folder, night) for night in nights][-1]


def _write_night(folder: Path, night: int) -> int:
    with begin_refresh(_settings(folder), f"sweep {night}", _at(night, 2)) as refresh, refresh.session() as session:
        urls = str(folder / "lake" / "tables" / "given" / "coverage.urls.parquet")
        rows = session.table(_ASKED, [urls, night, refresh.refresh_id])
        missing = [field for field in LINK_CHECKS if field.name not in rows.column_names]
        for field in missing:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
        refresh.logs.link_checks.append(rows.select(LINK_CHECKS.names))
        refresh.record("swept")
        refresh.logs.link_checks.compact()
        written: int = rows.num_rows
        return written


def due_once(folder: Path, night: int) -> tuple[Build, int]:
    """Make the tables before the sweep and read what is due."""
    with begin_refresh(_settings(folder), f"before {night}", _at(night, 1)) as refresh:
        start, cpu = time.perf_counter(), time.process_time()
        due = due_tonight(refresh)
        return Build(time.perf_counter() - start, time.process_time() - cpu), len(due)


def build_once(folder: Path, night: int, hour: int) -> Build:
    """Make the tables after the sweep."""
    with begin_refresh(_settings(folder), f"after {night}", _at(night, hour)) as refresh:
        start, cpu = time.perf_counter(), time.process_time()
        with refresh.session() as session:
            refresh.builder(session).build("links")
        return Build(time.perf_counter() - start, time.process_time() - cpu)


def _check(folder: Path, links: int, night: int) -> None:
    """Raises ValueError where the states are not what was written: every link known, those gone dead by now."""
    states = Snapshots(folder / "lake" / "tables").staged().tables["links.states"]
    file = literal(folder / "lake" / "tables" / states.file)
    with begin_refresh(_settings(folder / "aside"), "check", _at(0, 0)) as refresh, refresh.session() as session:
        found = _counted(session, file)
    expected = {"alive": links - len(range(0, links, GONE)), "dead": len(range(0, links, GONE))}
    if found != expected:
        raise ValueError(f"the states are {found} on night {night}, not {expected}")


def _counted(session: Session, file: str) -> dict[object, object]:
    return dict(session.run(f"select state, count(*) from read_parquet({file}) group by state"))  # type: ignore[arg-type]


def targets(figures: NightsFigures) -> Iterator[Target]:
    """What a night is held to."""
    young, old = figures.ages
    on = f"{figures.links:,} links, night {old.night}"
    yield Target(f"seconds of verdicts, states and due list; {on}", old.seconds, "at most", SECONDS)
    yield Target(f"peak memory, GB; {on}", old.peak / 1e9, "at most", MEMORY_GB)
    growth = f"processor seconds of night {old.night} ÷ those of night {young.night}"
    yield Target(growth, old.cpu / young.cpu, "at most", FLAT_FACTOR)


def lines(figures: NightsFigures) -> Iterator[str]:
    """Each age of the log, and all of history."""
    yield f"{f'{figures.links:,} links, made in':<40}{'asked':>9}{'due':>9}{'seconds':>9}{'CPU':>9}{'peak MB':>9}"
    for age in figures.ages:
        yield _line(f"night {age.night}, before the sweep", age.before, "", f"{age.due:,}")
        yield _line(f"night {age.night}, after the sweep", age.after, f"{age.observations:,}", "")
    yield _line(f"all {figures.ages[-1].night} nights judged anew", figures.anew, "", "")
    yield f"  the log takes {figures.log_bytes / 1e6:,.0f} MB, what is made of it {figures.tables_bytes / 1e6:,.0f} MB"


def _line(what: str, made: Watched[Build], asked: str, due: str) -> str:
    seconds, cpu = made.result.seconds, made.result.cpu
    return f"  {what:<38}{asked:>9}{due:>9}{seconds:>9.1f}{cpu:>9.1f}{made.parent / 1e6:>9,.0f}"

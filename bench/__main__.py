"""Print the benchmarks as small tables: `python -m bench intake | growth | coverage | warehouse | nights | dagster |
links | truth`, or `make bench` for all. Writes nothing unless told to."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bench.alone import alone
from bench.archive import Archive, write_archive
from bench.coverage import lines as coverage_lines
from bench.coverage import measure_coverage
from bench.coverage import targets as coverage_targets
from bench.dagster_runs import dagster_targets, measure_dagster
from bench.dagster_runs import lines as dagster_lines
from bench.floor import PARSER
from bench.growth import lines as growth_lines
from bench.growth import measure_growth
from bench.growth import targets as growth_targets
from bench.intake import Run, all_cores, check_rows, kind_of, measure, refresh_once
from bench.links.loads import shapes
from bench.links.running import measure as measure_links
from bench.links.running import saved as saved_links
from bench.links.targets import lines as link_lines
from bench.links.targets import targets as link_targets
from bench.links_truth import lines as truth_lines
from bench.links_truth import measure_truth
from bench.links_truth import saved as saved_truth
from bench.machine import link_libraries, machine
from bench.nights import lines as nights_lines
from bench.nights import measure_nights
from bench.nights import targets as nights_targets
from bench.peer import check_peer, measure_peer
from bench.targets import Beside, Figures, Target, targets
from bench.warehouse import lines as warehouse_lines
from bench.warehouse import measure_warehouse
from bench.warehouse import targets as warehouse_targets
from pipeline.lake.logs import ZSTD_LEVEL

_RESULTS = Path(__file__).parent / "results"


app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def intake(
    articles: Annotated[int, typer.Option(min=1, help="News files in the archive.")] = 20_000,
    related: Annotated[int, typer.Option(min=0, help="Related items a file.")] = 12,
    runs: Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")] = 3,
    peer: Annotated[int, typer.Option(min=0, help="News files for dlt, the peer; 0 leaves it out.")] = 1_000,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-intake.json.")] = False,
) -> None:
    """Files to Parquet beside the least that it can cost, beside dlt, and what a refresh costs where little changed."""
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        figures = measured(Path(folder), articles, related, runs, peer)
    _tell("intake", _lines(figures), list(targets(figures)), asdict(figures), save)


@app.command()
def growth(
    articles: Annotated[list[int] | None, typer.Option(min=1, help="News files in the archive.")] = None,
    related: Annotated[int, typer.Option(min=0, help="Related items a file.")] = 12,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-growth.json.")] = False,
) -> None:
    """What a night costs in time, memory and space as the archive grows."""
    told = []
    for files in articles or [10_000, 50_000]:
        with TemporaryDirectory(prefix="newsledger-bench-") as folder:
            told.append(measure_growth(Path(folder) / "growth", files, related))
    _tell("growth", growth_lines(told), list(growth_targets(told)), [*map(asdict, told)], save)


@app.command()
def coverage(
    articles: Annotated[list[int] | None, typer.Option(min=1, help="News files in the archive.")] = None,
    related: Annotated[int, typer.Option(min=0, help="Related items a file.")] = 12,
    runs: Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")] = 3,
    memory_limit: Annotated[str, typer.Option(help="What DuckDB may hold.")] = "2GB",
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-coverage.json.")] = False,
) -> None:
    """The log to all coverage tables, beside the same joins and aggregates written by hand."""
    told = []
    for files in articles or [7_700, 77_000]:
        with TemporaryDirectory(prefix="newsledger-bench-") as folder:
            archive = write_archive(Path(folder) / "site", files, related)
            told.append(measure_coverage(archive, Path(folder), runs, memory_limit))
    _tell("coverage", coverage_lines(told), list(coverage_targets(told)), [*map(asdict, told)], save)


@app.command()
def warehouse(
    articles: Annotated[list[int] | None, typer.Option(min=1, help="News files in the archive.")] = None,
    related: Annotated[int, typer.Option(min=0, help="Related items a file.")] = 12,
    runs: Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")] = 3,
    memory_limit: Annotated[str, typer.Option(help="What DuckDB may hold.")] = "2GB",
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-warehouse.json.")] = False,
) -> None:
    """The tables to a published warehouse, beside DuckDB's own load; every mart, a search and the report."""
    told = []
    for files in articles or [77_000]:
        with TemporaryDirectory(prefix="newsledger-bench-") as folder:
            archive = write_archive(Path(folder) / "site", files, related)
            told.append(measure_warehouse(archive, Path(folder), runs, memory_limit))
    _tell("warehouse", warehouse_lines(told), list(warehouse_targets(told)), [*map(asdict, told)], save)


@app.command()
def dagster(
    runs: Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")] = 3,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-dagster.json.")] = False,
) -> None:
    """What Newsledger adds to Dagster: loading, reloading, and a night on which nothing changed."""
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        told = measure_dagster(Path(folder), runs)
    _tell("dagster", dagster_lines(told), list(dagster_targets(told)), asdict(told), save)


@app.command()
def nights(
    links: Annotated[int, typer.Option(min=1_000, help="Links, a tenth of which is asked each night.")] = 1_000_000,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-nights.json.")] = False,
) -> None:
    """Verdicts, states and what is due, as the log of observations grows old."""
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        told = measure_nights(Path(folder), links)
    _tell("nights", nights_lines(told), list(nights_targets(told)), asdict(told), save)


@app.command()
def links(
    load: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(shapes())}; all of them else.")] = None,
    size: Annotated[float, typer.Option(min=0.0001, help="Share of the URLs of each load.")] = 1.0,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each contender, in turns; medians are printed.")] = 5,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-links.json.")] = False,
) -> None:
    """A night's sweep beside lychee and linkchecker, on a web of this machine that measures the gaps."""
    if unknown := set(load or ()) - set(shapes()):
        raise typer.BadParameter(f"no load {', '.join(sorted(unknown))}; there are {', '.join(shapes())}")
    here = machine() | {"libraries": link_libraries()}
    print(_where(here))
    told = []
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        for each in measure_links(load or list(shapes()), size, runs, Path(folder)):
            print("\n".join(link_lines(each)), flush=True)
            told.append(each)
    held = list(link_targets(told))
    print()
    print("\n".join(_target_lines(held)))
    if save:
        _keep("links", saved_links(told, here))


@app.command()
def truth(
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-links-truth.json.")] = False,
) -> None:
    """Who judges the hostile web right: a night's verdicts beside the answers of lychee and linkchecker."""
    judged = measure_truth()
    print("\n".join(truth_lines(judged)))
    if save and judged:
        _keep("links-truth", {"machine": machine(), "contenders": saved_truth(judged)})


def _tell(what: str, lines: Iterable[str], held: Sequence[Target], figures: object, save: bool) -> None:
    """Print what was measured and what it is held to, and keep it where asked."""
    here = machine()
    print("\n".join([_where(here), *lines, "", *_target_lines(held)]))
    if save:
        _keep(what, {"machine": here, "targets": [target.saved() for target in held], "figures": figures})


def _keep(what: str, kept: Mapping[str, object]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    file = _RESULTS / f"{datetime.now(UTC).date()}-{what}.json"
    file.write_text(json.dumps(kept, indent=1, default=lambda path: path.name, ensure_ascii=False) + "\n", "utf-8")
    print(f"\nwritten: {file}")


def measured(scratch: Path, articles: int, related: int, runs: int, peer: int) -> Figures:
    """Every figure, on archives written into `scratch`, which needs about 25 KB for each file."""
    archive = write_archive(scratch / "site", articles, related)
    taken = measure(archive, scratch / "runs", runs)
    rmtree(scratch / "runs")
    beside = tuple(_beside(scratch / "peer", peer, related, runs)) if peer else ()
    return Figures(archive, ZSTD_LEVEL, taken, beside)


def _beside(scratch: Path, articles: int, related: int, runs: int) -> Iterator[Beside]:
    archive = write_archive(scratch / "site", articles, related)
    for number in range(runs):
        theirs = measure_peer(archive.folder / "_news", scratch / f"dlt-{number}")
        check_peer(theirs, archive.stories, archive.mentions - archive.stories)
        ours = []
        for cores in dict.fromkeys((1, all_cores())):
            made = alone(
                cores, refresh_once, archive.folder, scratch / f"ours-{number}-{cores}", kind_of(cores), "first"
            )
            check_rows("first", made, archive)
            ours.append((cores, made))
        yield Beside(theirs, tuple(ours))


def _lines(figures: Figures) -> Iterator[str]:
    archive = figures.archive
    yield (
        f"{archive.stories:,} files of {archive.story_bytes / archive.stories / 1000:.1f} KB,"
        f" {archive.mentions:,} mentions of {archive.articles:,} articles;"
        f" written at {archive.stories / archive.writing_seconds:,.0f} files/s; cache warm"
    )
    yield (
        f"medians, each figure from a fresh process; garbage collector of the floor as Python has it"
        f" ({'on' if gc.isenabled() else 'off'}, thresholds {gc.get_threshold()});"
        f" floor parsed by {PARSER}; the log is zstd level {figures.level}"
    )
    for cores, runs in figures.by_cores():
        yield ""
        yield from _cold(cores, runs, archive, figures.level)
        yield from _later(runs)
    yield from _peer(figures)


def _where(here: Mapping[str, str | int]) -> str:
    machine = f"{here['date']}, {here['cpu']}, {here['cores']} cores, {here['system']}, Python {here['python']}"
    return f"{machine}\n{here['libraries']}"


def _target_lines(held: Iterable[Target]) -> Iterator[str]:
    yield f"{'target':<80}{'measured':>9}{'':>4}{'limit':>13}"
    for target in held:
        verdict = "reached" if target.is_reached else "NOT REACHED"
        yield f"  {target.what:<78}{target.measured:>9.2f}{'':>2}{target.bound:>9} {target.limit:<6g}{verdict}"


def _cold(cores: int, runs: Sequence[Run], archive: Archive, level: int) -> Iterator[str]:
    least = _median(runs, lambda run: run.floor.seconds(level) / run.floor.files)
    yield f"{f'cold, {cores} core' + 's' * (cores > 1):<52}{'µs a file, per core':>20}{'x floor':>9}"
    rows: list[tuple[str, float]] = [
        (f"floor: {part}", _median(runs, lambda run, part=part: getattr(run.floor, part) / run.floor.files))
        for part in ("read", "sha256", "parse", "arrow", "parquet_1", "parquet_3")
    ]
    rows += [
        (f"floor, with parquet_{level}", least),
        ("documents stage", _median(runs, lambda run: run.first.documents_seconds * cores / archive.files)),
        ("files to coverage tables", _median(runs, lambda run: run.first.refresh_seconds * cores / archive.files)),
    ]
    for name, seconds in rows:
        yield f"  {name:<50}{seconds * 1e6:>20,.1f}{seconds / least:>9.2f}"


def _later(runs: Sequence[Run]) -> Iterator[str]:
    least = _median(runs, lambda run: run.unchanged.seconds)
    yield f"{'nothing changed':<52}{'milliseconds':>20}{'x floor':>9}"
    rows: list[tuple[str, float]] = [
        ("bare scandir and stat", _median(runs, lambda run: run.unchanged.walk)),
        ("floor: that, one Arrow table and one join", least),
        ("documents stage", _median(runs, lambda run: run.second.documents_seconds)),
        ("refresh up to the coverage tables", _median(runs, lambda run: run.second.refresh_seconds)),
        (
            f"{runs[0].third.files:,} files changed: documents stage",
            _median(runs, lambda run: run.third.documents_seconds),
        ),
    ]
    for name, seconds in rows:
        yield f"  {name:<50}{seconds * 1e3:>20,.1f}{seconds / least:>9.2f}"


def _peer(figures: Figures) -> Iterator[str]:
    if not figures.beside:
        return
    first = figures.beside[0].peer
    yield ""
    yield f"{f'files to relational tables, {first.stories:,} records':<52}{'µs a record':>20}"
    rows = [
        ("reading and parsing, free for dlt", median(entry.peer.parse_seconds for entry in figures.beside)),
        (f"dlt {first.version} to DuckDB", median(entry.peer.seconds for entry in figures.beside)),
    ]
    rows += [
        (
            f"files to coverage tables, {cores} core{'s' * (cores > 1)}",
            median(entry.ours[place][1].refresh_seconds for entry in figures.beside),
        )
        for place, (cores, _) in enumerate(figures.beside[0].ours)
    ]
    for name, seconds in rows:
        yield f"  {name:<50}{seconds * 1e6 / first.stories:>20,.1f}"


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(map(of, runs))


if __name__ == "__main__":
    app()

"""Print the benchmarks as small tables: `python -m bench all`, or one of its parts; see `--help`. Writes nothing unless
told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, TypeVar

import typer

from bench import coverage as coverage_part
from bench import dagster_runs, intake_figures, links_truth
from bench import executors as executors_part
from bench import growth as growth_part
from bench import nights as nights_part
from bench import warehouse as warehouse_part
from bench.archive import Archive, write_archive
from bench.links import targets as links_targets
from bench.links.loads import shapes
from bench.links.running import measure as measure_links
from bench.links.running import saved as saved_links
from bench.machine import link_libraries
from bench.parts import Size, run_all
from bench.telling import RESULTS, Told

F = TypeVar("F")
Articles = Annotated[int, typer.Option(min=1, help="News files in the archive.")]
Sizes = Annotated[list[int] | None, typer.Option("--articles", min=1, help="News files in an archive; more than one.")]
Related = Annotated[int, typer.Option(min=0, help="Related items a file.")]
Runs = Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")]
Limit = Annotated[str, typer.Option(help="What DuckDB may hold.")]
Save = Annotated[bool, typer.Option("--save", help="Also write <folder>/<date>-<part>.json.")]
Folder = Annotated[Path, typer.Option(help="Where --save writes.")]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command(name="all")
def all_parts(
    size: Annotated[Size, typer.Option(help="How large the loads are.")] = Size.usual,
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """Every part in a process of its own, and in the end one table of all targets."""
    if run_all(size, folder if save else None):
        raise typer.Exit(1)


@app.command()
def intake(
    articles: Articles = 20_000,
    related: Related = 12,
    runs: Runs = 3,
    peer: Annotated[int, typer.Option(min=0, help="News files for the peers; 0 leaves them out.")] = 1_000,
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """Files to Parquet beside the least that it can cost, beside dlt and pandas, and a refresh where little changed."""
    with _scratch() as scratch:
        figures = intake_figures.measured(scratch, articles, related, runs, peer)
    _tell("intake", intake_figures, figures, folder if save else None)


@app.command()
def growth(articles: Sizes = None, related: Related = 12, save: Save = False, folder: Folder = RESULTS) -> None:
    """What a night costs in time, memory and space as the archive grows, and what it would at a hundred million."""
    figures = []
    for files in articles or [10_000, 50_000]:
        with _scratch() as scratch:
            figures.append(growth_part.measure_growth(scratch / "growth", files, related))
    _tell("growth", growth_part, figures, folder if save else None)


@app.command()
def executors(
    articles: Articles = 10_000, related: Related = 12, runs: Runs = 3, save: Save = False, folder: Folder = RESULTS
) -> None:
    """The same files read by one process, a pool of two, and two workers of a Dask cluster."""
    with _scratch() as scratch:
        figures = executors_part.measure_executors(scratch, articles, related, runs)
    _tell("executors", executors_part, figures, folder if save else None)


@app.command()
def coverage(
    articles: Sizes = None,
    related: Related = 12,
    runs: Runs = 3,
    memory_limit: Limit = "2GB",
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """The log to all coverage tables, beside the same joins and aggregates written by hand."""
    figures = _of_archives(
        articles or [7_700, 77_000],
        related,
        lambda archive, scratch: coverage_part.measure_coverage(archive, scratch, runs, memory_limit),
    )
    _tell("coverage", coverage_part, figures, folder if save else None)


@app.command()
def warehouse(
    articles: Sizes = None,
    related: Related = 12,
    runs: Runs = 3,
    memory_limit: Limit = "2GB",
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """The tables to a published warehouse, beside DuckDB's own load; every mart, a search and the report."""
    figures = _of_archives(
        articles or [77_000],
        related,
        lambda archive, scratch: warehouse_part.measure_warehouse(archive, scratch, runs, memory_limit),
    )
    _tell("warehouse", warehouse_part, figures, folder if save else None)


@app.command()
def dagster(runs: Runs = 3, save: Save = False, folder: Folder = RESULTS) -> None:
    """What Newsledger adds to Dagster: loading, reloading, and a night on which nothing changed."""
    with _scratch() as scratch:
        figures = dagster_runs.measure_dagster(scratch, runs)
    _tell("dagster", dagster_runs, figures, folder if save else None)


@app.command()
def nights(
    links: Annotated[int, typer.Option(min=1_000, help="Links, a tenth of which is asked each night.")] = 1_000_000,
    nights: Annotated[int, typer.Option(min=31, help="How old the log grows.")] = 60,
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """Verdicts, states and what is due, as the log of observations grows old."""
    with _scratch() as scratch:
        figures = nights_part.measure_nights(scratch, links, nights)
    _tell("nights", nights_part, figures, folder if save else None)


@app.command()
def links(
    load: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(shapes())}; all of them else.")] = None,
    size: Annotated[float, typer.Option(min=0.0001, help="Share of the URLs of each load.")] = 1.0,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each contender, in turns; medians are printed.")] = 5,
    save: Save = False,
    folder: Folder = RESULTS,
) -> None:
    """A night's sweep beside lychee and linkchecker, on a web of this machine that measures the gaps."""
    if unknown := set(load or ()) - set(shapes()):
        raise typer.BadParameter(f"no load {', '.join(sorted(unknown))}; there are {', '.join(shapes())}")
    measured = []
    with _scratch() as scratch:
        for each in measure_links(load or [*shapes()], size, runs, scratch):
            print("\n".join(links_targets.lines(each)), flush=True)
            measured.append(each)
    told = Told("links", [], [*links_targets.targets(measured)], saved_links(measured), link_libraries())
    told.tell(folder if save else None)


@app.command()
def truth(save: Save = False, folder: Folder = RESULTS) -> None:
    """Who judges the hostile web right: a night's verdicts beside the answers of lychee and linkchecker."""
    judged = links_truth.measure_truth()
    targets, figures = [*links_truth.targets(judged)], links_truth.saved(judged)
    told = Told("links-truth", links_truth.lines(judged), targets, figures, link_libraries())
    told.tell(folder if save and judged else None)


def _tell(what: str, part: Any, figures: Any, keep: Path | None) -> None:
    """Print and keep what a part measured, once or at several sizes, in its module's own words."""
    kept = [*map(asdict, figures)] if isinstance(figures, list) else asdict(figures)
    Told(what, part.lines(figures), [*part.targets(figures)], kept).tell(keep)


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        yield Path(folder)


def _of_archives(sizes: list[int], related: int, measure: Callable[[Archive, Path], F]) -> list[F]:
    figures = []
    for files in sizes:
        with _scratch() as scratch:
            figures.append(measure(write_archive(scratch / "site", files, related), scratch))
    return figures


if __name__ == "__main__":
    app()

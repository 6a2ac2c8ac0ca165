"""Print the benchmarks as a small table: `python -m bench`, or `make bench`. Writes nothing unless told to."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.floor import PARSER
from bench.intake import Figures, Run, measure
from bench.machine import machine

_RESULTS = Path(__file__).parent / "results"


def main(
    articles: Annotated[int, typer.Option(min=1, help="News files in the archive.")] = 5_000,
    related: Annotated[int, typer.Option(min=0, help="Related items a file.")] = 12,
    runs: Annotated[int, typer.Option(min=1, help="Runs; medians are printed.")] = 3,
    save: Annotated[bool, typer.Option("--save", help="Also write bench/results/<date>-intake.json.")] = False,
) -> None:
    """Files to Parquet, in articles a second, beside the bare reading and parsing of the same files."""
    figures = measure(articles, related, runs)
    here = machine()
    print("\n".join(_lines(figures, here)))
    if save:
        _RESULTS.mkdir(exist_ok=True)
        file = _RESULTS / f"{here['date']}-intake.json"
        archive = {"articles": articles, "related": related, "bytes": figures.truth.story_bytes}
        archive |= {"mentions": figures.truth.mentions, "distinct_articles": figures.truth.articles}
        kept = {"machine": here, "archive": archive, "runs": [asdict(run) for run in figures.runs]}
        file.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        print(f"\nwritten: {file}")


def _lines(figures: Figures, here: dict[str, str | int]) -> Iterator[str]:
    truth = figures.truth
    yield "Intake: files to documents log to coverage tables (Parquet)"
    yield f"  {here['date']}, {here['cpu']}, {here['cores']} cores, {here['system']}, Python {here['python']}"
    yield f"  {here['libraries']}"
    size = f"{truth.story_bytes / truth.stories / 1000:.1f} KB"
    yield f"  {truth.stories:,} files of {size}, {truth.mentions:,} mentions of {truth.articles:,} articles; cache warm"
    runs = len(figures.runs) // len({run.cores for run in figures.runs})
    yield (
        f"  archive written at {truth.stories / figures.writing_seconds:,.0f} files/s;"
        f" medians of {runs} runs, each in a fresh process"
    )
    yield f"  floor: the same files read, SHA-256, parsed by {PARSER}, nothing made of them"
    for cores in dict.fromkeys(run.cores for run in figures.runs):
        yield ""
        yield from _block([run for run in figures.runs if run.cores == cores], truth.stories)


def _block(runs: Sequence[Run], files: int) -> Iterator[str]:
    cores = runs[0].cores
    floor = _median(runs, lambda run: run.floor_seconds)
    walk = _median(runs, lambda run: run.walk_seconds)
    title = "one core, one process" if cores == 1 else f"{cores} cores, starting the worker processes included"
    yield f"{title:<52}{'seconds':>9}{'files/s':>10}{'per core':>10}{'x floor':>9}"
    rows: list[tuple[str, float]] = [
        ("floor", floor),
        ("documents stage", _median(runs, lambda run: run.first.documents_seconds)),
        ("coverage tables", _median(runs, lambda run: run.first.coverage_seconds)),
        ("files to Parquet", _median(runs, lambda run: run.first.seconds)),
    ]
    for name, seconds in rows:
        rate = files / seconds
        yield f"  {name:<50}{seconds:>9.3f}{rate:>10,.0f}{rate / cores:>10,.0f}{seconds / floor:>9.2f}"
    yield f"{'  nothing changed':<52}{'seconds':>9}{'':>20}{'x walk':>9}"
    parsed = max(run.second.files_parsed for run in runs)
    unchanged: list[tuple[str, float]] = [
        ("bare scandir and stat", walk),
        (f"documents stage, {parsed} files parsed", _median(runs, lambda run: run.second.documents_seconds)),
        ("coverage tables", _median(runs, lambda run: run.second.coverage_seconds)),
    ]
    for name, seconds in unchanged:
        yield f"    {name:<48}{seconds:>9.3f}{'':>20}{seconds / walk:>9.2f}"


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(map(of, runs))


if __name__ == "__main__":
    typer.run(main)

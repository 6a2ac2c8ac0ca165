"""What the intake's figures are held to, and how they are told: the pipeline beside its floor and beside its peers."""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from statistics import median

from bench.alone import alone
from bench.archive import Archive, write_archive
from bench.floor import PARSER
from bench.intake import Pass, Run, all_cores, check_rows, executor_of, measure, refresh_once
from bench.peer import ENVIRONMENT, Peer, check_peer, measure_peers
from bench.targets import Target
from pipeline.lake.logs import ZSTD_LEVEL

COLD_FACTOR = 1.6
PEER_FACTOR = {"dlt": 25, "PyYAML": 1}
"""Of the script only this is asked: that it be no faster."""
UNCHANGED_FACTOR = 2
CHANGED_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class Beside:
    """The peers and the pipeline on the same files: the pipeline with one core, then with all."""

    peers: tuple[Peer, ...]
    ours: tuple[tuple[int, Pass], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured. `level` is the zstd level of the documents log."""

    archive: Archive
    level: int
    runs: tuple[Run, ...]
    beside: tuple[Beside, ...]

    def by_cores(self) -> Iterator[tuple[int, list[Run]]]:
        for cores in dict.fromkeys(run.cores for run in self.runs):
            yield cores, [run for run in self.runs if run.cores == cores]

    def peer_seconds(self, place: int) -> float:
        """Of the peer at that place."""
        return median(entry.peers[place].seconds for entry in self.beside)


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
        theirs = measure_peers(archive.folder / "_news", scratch / f"peers-{number}")
        for peer in theirs:
            check_peer(peer, archive.stories, archive.mentions - archive.stories)
        ours = []
        for cores in dict.fromkeys((1, all_cores())):
            data = scratch / f"ours-{number}-{cores}"
            made = alone(cores, refresh_once, archive.folder, data, executor_of(cores), "first")
            check_rows("first", made, archive)
            ours.append((cores, made))
        yield Beside(theirs, tuple(ours))


def cold_factor(run: Run, level: int) -> float:
    """The documents stage over its floor, both in seconds of a core."""
    return run.first.documents_seconds * run.cores / run.floor.seconds(level)


def unchanged_factor(run: Run) -> float:
    """The documents stage over a walk, a table and a join, nothing having changed."""
    return run.second.documents_seconds / run.unchanged.seconds


def changed_factor(run: Run) -> float:
    """The documents stage over what it may take where some files changed: as if none had, and these read cold."""
    cold = run.first.documents_seconds / run.first.files_seen
    return run.third.documents_seconds / (run.second.documents_seconds + run.third.files * cold * CHANGED_FACTOR)


def targets(figures: Figures) -> Iterator[Target]:
    """Every target, on what was measured; a ratio is the median of those of the runs."""
    files = f"{figures.archive.files:,} files"
    for cores, runs in figures.by_cores():
        on = f"{files}, {_cores(cores)}"
        cold = _median(runs, lambda run: cold_factor(run, figures.level))
        yield Target(f"cold documents stage ÷ its floor, per core; {on}", cold, "at most", COLD_FACTOR, PARSER)
        yield Target(
            f"no-op documents stage ÷ walk, table and join; {on}",
            _median(runs, unchanged_factor),
            "at most",
            UNCHANGED_FACTOR,
            "scandir",
        )
        yield Target(
            f"1 % changed ÷ (no-op + {CHANGED_FACTOR} × cold); {on}", _median(runs, changed_factor), "at most", 1
        )
    for place, peer in enumerate(figures.beside[0].peers if figures.beside else ()):
        yield from _peer_targets(figures, place, peer)


def _peer_targets(figures: Figures, place: int, peer: Peer) -> Iterator[Target]:
    name, records = peer.name.partition(" ")[0], peer.stories
    what = {"PyYAML": "PyYAML + pandas"}.get(name, name)
    for ours, (cores, _) in enumerate(figures.beside[0].ours):
        factor = median(entry.peers[place].seconds / entry.ours[ours][1].refresh_seconds for entry in figures.beside)
        on = f"{records:,} records, {_cores(cores)}"
        yield Target(f"{what} ÷ files to coverage tables; {on}", factor, "at least", PEER_FACTOR[name], peer.name)
    for cores, runs in figures.by_cores():
        each = _median(runs, lambda run: run.first.refresh_seconds) / figures.archive.stories
        on = f"ours of {figures.archive.files:,} files, {_cores(cores)}"
        factor = figures.peer_seconds(place) / records / each
        yield Target(f"{what}, the same per record, {on}", factor, "at least", PEER_FACTOR[name], peer.name)


def lines(figures: Figures) -> Iterator[str]:
    """Every part of the floor and of the pipeline, medians of the runs."""
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
    yield from _peers(figures)


def _cold(cores: int, runs: Sequence[Run], archive: Archive, level: int) -> Iterator[str]:
    least = _median(runs, lambda run: run.floor.seconds(level) / run.floor.files)
    yield f"{f'cold, {_cores(cores)}':<52}{'µs a file, per core':>20}{'x floor':>9}"
    rows = [
        (f"floor: {part}", median(getattr(run.floor, part) / run.floor.files for run in runs))
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
    rows = [
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


def _peers(figures: Figures) -> Iterator[str]:
    if not figures.beside:
        return
    first = figures.beside[0]
    records = first.peers[0].stories
    yield ""
    yield f"{f'files to relational tables, {records:,} records':<52}{'µs a record':>20}"
    parsing = median(entry.peers[0].parse_seconds for entry in figures.beside)
    rows = [("reading and parsing, free for dlt", parsing)]
    rows += [(f"{peer.name} to DuckDB", figures.peer_seconds(place)) for place, peer in enumerate(first.peers)]
    rows += [
        (
            f"files to coverage tables, {_cores(cores)}",
            median(entry.ours[place][1].refresh_seconds for entry in figures.beside),
        )
        for place, (cores, _) in enumerate(first.ours)
    ]
    for name, seconds in rows:
        yield f"  {name:<50}{seconds * 1e6 / records:>20,.1f}"
    if len(first.peers) == 1:
        yield f"  PyYAML and pandas: not measured, {ENVIRONMENT} names no environment that has them"


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count > 1)}"


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(map(of, runs))

"""What the figures are held to: one row a target, reached or not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

from bench.archive import Archive
from bench.intake import Pass, Run
from bench.peer import Peer

COLD_FACTOR = 1.6
PEER_FACTOR = 25
UNCHANGED_FACTOR = 2
CHANGED_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the bound that it is held to."""

    what: str
    measured: float
    bound: Literal["at most", "at least"]
    limit: float

    @property
    def is_reached(self) -> bool:
        return self.measured <= self.limit if self.bound == "at most" else self.measured >= self.limit

    def saved(self) -> dict[str, str | float | bool]:
        return asdict(self) | {"reached": self.is_reached}


@dataclass(frozen=True, slots=True)
class Beside:
    """dlt and the pipeline on the same files: the pipeline with one core, then with all."""

    peer: Peer
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
        on = f"{files}, {cores} core{'s' * (cores > 1)}"
        cold = _median(runs, lambda run: cold_factor(run, figures.level))
        yield Target(f"cold documents stage ÷ its floor, per core; {on}", cold, "at most", COLD_FACTOR)
        yield Target(
            f"no-op documents stage ÷ walk, table and join; {on}",
            _median(runs, unchanged_factor),
            "at most",
            UNCHANGED_FACTOR,
        )
        yield Target(
            f"1 % changed ÷ (no-op + {CHANGED_FACTOR} × cold); {on}", _median(runs, changed_factor), "at most", 1
        )
    yield from _beside(figures)


def _beside(figures: Figures) -> Iterator[Target]:
    if not figures.beside:
        return
    records = figures.beside[0].peer.stories
    for place, (cores, _) in enumerate(figures.beside[0].ours):
        on = f"{cores} core{'s' * (cores > 1)}"
        factor = median(entry.peer.seconds / entry.ours[place][1].refresh_seconds for entry in figures.beside)
        yield Target(f"dlt ÷ files to coverage tables; {records:,} records, {on}", factor, "at least", PEER_FACTOR)
    peer = median(entry.peer.seconds for entry in figures.beside) / records
    for cores, runs in figures.by_cores():
        ours = _median(runs, lambda run: run.first.refresh_seconds) / figures.archive.stories
        what = f"the same per record, ours of {figures.archive.files:,} files, {cores} core{'s' * (cores > 1)}"
        yield Target(what, peer / ours, "at least", PEER_FACTOR)


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(map(of, runs))

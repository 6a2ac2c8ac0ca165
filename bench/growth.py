"""What a night costs as the archive grows: seconds, memory and bytes on disk of the documents stage, cold, with nothing
changed and with one file in a hundred changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from shutil import rmtree

from bench.alone import Watched, watched
from bench.archive import Archive, write_archive
from bench.intake import CHANGED_SHARE, all_cores, documents_once, executor_of, give_new_titles, let_settle
from bench.targets import Target
from pipeline.content import Counts

MEMORY_GB = 1
FLAT_FACTOR = 1.25
"""What "flat" is taken to mean: the largest archive takes so many times the memory of the smallest."""
UNCHANGED_SECONDS = 60
"""Of a night in which nothing changed, at a million files."""


@dataclass(frozen=True, slots=True)
class Night:
    """A documents stage: its seconds, and the peak resident bytes of its process and of each of its workers."""

    seconds: float
    parent: int
    workers: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.parent + sum(self.workers)


@dataclass(frozen=True, slots=True)
class Size:
    """Three nights of an archive of so many files, and the bytes of the lake after them."""

    files: int
    cold: Night
    unchanged: Night
    changed: Night
    lake_bytes: int

    @property
    def peak(self) -> int:
        return max(night.total for night in (self.cold, self.unchanged, self.changed))


def measure_growth(scratch: Path, articles: int, related: int) -> Size:
    """Write an archive of so many news files into `scratch`, take it in, and twice more; about 12 KB a file."""
    archive = write_archive(scratch / "site", articles, related)
    let_settle()
    data = scratch / "data"
    cold = _night(archive, data, "cold", archive.files)
    unchanged = _night(archive, data, "unchanged", 0)
    files = sorted((archive.folder / "_news").rglob("*.md"))[::CHANGED_SHARE]
    give_new_titles(files, "Grown")
    let_settle()
    changed = _night(archive, data, "changed", len(files))
    size = sum(file.stat().st_size for file in (data / "lake").rglob("*") if file.is_file())
    rmtree(scratch)
    return Size(archive.files, cold, unchanged, changed, size)


def _night(archive: Archive, data: Path, name: str, accepted: int) -> Night:
    seen: Watched[tuple[float, Counts]] = watched(
        all_cores(), documents_once, archive.folder, data, executor_of(all_cores()), name
    )
    seconds, counts = seen.result
    if (counts.seen, counts.accepted) != (archive.files, accepted):
        raise ValueError(f"{name}: {counts.accepted} of {counts.seen} files were accepted, not {accepted}")
    return Night(seconds, seen.parent, seen.workers)


def targets(sizes: Sequence[Size]) -> Iterator[Target]:
    """Memory at every size, and what it grows by."""
    for size in sizes:
        yield Target(f"peak memory of all processes, GB; {size.files:,} files", size.peak / 1e9, "at most", MEMORY_GB)
    if len(sizes) > 1:
        least, most = sizes[0], sizes[-1]
        what = f"peak memory of {most.files:,} files ÷ that of {least.files:,}"
        yield Target(what, most.peak / least.peak, "at most", FLAT_FACTOR)
    for size in sizes:
        if size.files >= 1_000_000:
            what = f"seconds of a night without change; {size.files:,} files"
            yield Target(what, size.unchanged.seconds, "at most", UNCHANGED_SECONDS)


def lines(sizes: Sequence[Size]) -> Iterator[str]:
    """Each night of each size, and the power of the number of files by which its seconds grow."""
    yield f"{'documents stage':<40}{'seconds':>10}{'µs a file':>12}{'MB':>8}{'parent':>8}  workers"
    for size in sizes:
        for name, night in _nights(size):
            workers = ", ".join(f"{peak / 1e6:,.0f}" for peak in night.workers)
            each = night.seconds / size.files * 1e6
            yield (
                f"  {f'{size.files:,} files, {name}':<38}{night.seconds:>10.2f}{each:>12.1f}"
                f"{night.total / 1e6:>8,.0f}{night.parent / 1e6:>8,.0f}  {workers}"
            )
        yield f"  {f'{size.files:,} files, lake':<38}{size.lake_bytes / size.files:>22,.0f} bytes a file"
    if len(sizes) > 1:
        least, most = sizes[0], sizes[-1]
        for (name, small), (_, large) in zip(_nights(least), _nights(most), strict=True):
            power = log(large.seconds / small.seconds) / log(most.files / least.files)
            yield f"  {name}: seconds grow with the files to the power of {power:.2f}"


def _nights(size: Size) -> list[tuple[str, Night]]:
    return [("cold", size.cold), ("nothing changed", size.unchanged), ("1 % changed", size.changed)]

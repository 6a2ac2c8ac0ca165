"""Take in what changed of a source: an unchanged file costs a stat, a touched one a hash, a changed one a parse.

Belongs here: deciding what to read and what is gone. Does not belong here: where files come from (`trees`), how one is
read (`reading`), where the rows are kept (the caller appends them).
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import astuple, dataclass
from itertools import chain
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.content.reading import Known, Reader, removed_rows
from pipeline.content.stat_cache import Paths, StatCache, Walked, changes
from pipeline.content.trees import Tree
from pipeline.errors import SourceError
from pipeline.executors import Workers
from pipeline.lake.logs import Log, Part
from pipeline.settings import Source

CHUNK_FILES = 20_000
"""Changed files that are in memory at once, with what is known of them: about 4 KB each while the log is asked."""
WORTH_WORKERS = 2_000
"""Files below which starting worker processes costs more than reading them here."""
SHARD_FILES = 500
"""Files whose values are Python objects at once."""
_SHARES = 8
_QUEUED_SHARES = 4
"""For each worker: enough to keep it busy, and memory flat however many files there are."""
_PATH = pa.schema([pa.field("path", pa.string(), nullable=False)])
SHARE_FILES = range(SHARD_FILES, 2_500)
"""Files whose rows make one file of the log: enough shares of a chunk that no worker is idle for long at the end, few
enough files that reading them stays cheap, and the memory of a worker within bounds."""
COMMIT_ROWS = 20_000
"""Rows written before they are committed: what a crash can lose."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a source held: seen is accepted + rejected + skipped + unchanged, counted apart."""

    seen: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    unchanged: int = 0
    removed: int = 0
    parsed: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class Memory(Protocol):
    """What the log holds of a source, asked only when something changed. An answer has one row a path, its last: path,
    status, version_id, semantic_sha256, sha256. Paths are tables of one column, `path`."""

    def known(self, paths: pa.Table) -> pa.Table:
        """Those of `paths` that were ever seen."""
        ...

    def others(self, paths: pa.RecordBatchReader) -> pa.Table:
        """Those that were ever seen and are none of `paths`."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What became of a share of the files: its rows, written but not committed, and the paths to read once more."""

    counts: Counts
    parts: tuple[Part, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """How a source is taken in."""

    source: Source
    tree: Tree
    reader: Reader
    cache: StatCache
    memory: Memory
    log: Log
    workers: Workers | None
    seen_before: int | None
    min_files_share: float

    def run(self) -> Counts:
        """Take the source in. Raises SourceError where it cannot be listed or has shrunk past belief."""
        with self.cache.walked(self.tree.find(self.source.include, self.source.exclude)) as found:
            self._believe(found.num_rows)
            remembered = self.cache.read()
            counts = Counts()
            written: list[Part] = []
            unread: list[str] = []
            for share in self._taken(self._work(found, remembered)):
                counts += share.counts
                written += share.parts
                unread += share.unread
                if sum(part.rows for part in written) >= COMMIT_ROWS:
                    self.log.commit(written)
                    written.clear()
            self.log.commit(written)
            if remembered is None or counts != Counts():
                self.cache.write(found, unread)
        alike = found.num_rows - counts.seen
        return counts + Counts(seen=alike, unchanged=alike)

    def _believe(self, seen: int) -> None:
        before = self.seen_before or 0
        if seen < before * self.min_files_share:
            raise SourceError(
                f"source {self.source.name}: {self.tree.place} holds {seen} files, but held {before} at the last"
                f" refresh: less than sanity.min_files_share ({self.min_files_share}). Nothing was changed. If the"
                " files are really gone, run once with NEWSLEDGER_SANITY__MIN_FILES_SHARE=0, or with"
                " min_files_share: 0 in the config of the run"
            )

    def _work(self, found: Walked, remembered: Iterator[pa.RecordBatch] | None) -> Iterator["Reading | pa.Table"]:
        """What is to be read, and of what is gone the rows that are known."""
        if remembered is None:
            batches = (batch.select(["path"]) for batch in found.batches())
            yield self.memory.others(pa.RecordBatchReader.from_batches(_PATH, batches))
        paths = _all_of(found) if remembered is None else changes(found, remembered)
        for there, gone in _chunks(paths):
            known = self.memory.known(pa.concat_tables([there, gone]))
            # Without a cache there is no telling by which rules the known bytes were read: all are parsed again.
            if remembered is None:
                place = known.column_names.index("sha256")
                known = known.set_column(place, "sha256", pa.nulls(known.num_rows, pa.string()))
            yield from _readings(there, known)
            if gone.num_rows:
                yield known.join(gone, "path", join_type="left semi")

    def _taken(self, work: Iterator["Reading | pa.Table"]) -> Iterator[Share]:
        first: list[Reading | pa.Table] = []
        files = 0
        while files <= WORTH_WORKERS and (next_work := next(work, None)) is not None:
            first.append(next_work)
            files += len(next_work.paths) if isinstance(next_work, Reading) else 0
        workers = self.workers if files > WORTH_WORKERS else None
        waiting: deque[Future[Share]] = deque()
        for each in chain(first, work):
            if not isinstance(each, Reading):
                yield self._removed(each)
            elif workers is None:
                yield take_share(self.tree, self.reader, self.log, each.paths, each.known)
            else:
                waiting.append(
                    workers.pool.submit(take_share, self.tree, self.reader, self.log, each.paths, each.known)
                )
                if len(waiting) >= _QUEUED_SHARES * workers.count:
                    yield waiting.popleft().result()
        for future in waiting:
            yield future.result()

    def _removed(self, gone: pa.Table) -> Share:
        """A row for each of these paths that the log does not know to be gone."""
        reader = self.reader
        rows = removed_rows(
            gone.filter(pc.not_equal(gone["status"], "removed"))
            .select(["path", "version_id", "semantic_sha256"])
            .sort_by("path"),
            source=self.source.name,
            seen_at=reader.seen_at,
            refresh_id=reader.refresh_id,
            commit=reader.commit,
        )
        return Share(Counts(removed=rows.num_rows), (self.log.write(rows),) if rows.num_rows else (), ())


@dataclass(frozen=True, slots=True)
class Reading:
    """A share of the files that is to be read, with what is known of them."""

    paths: list[str]
    known: dict[str, Known]


def _all_of(found: Walked) -> Iterator[Paths]:
    none = pa.chunked_array([], pa.string())
    return (Paths(pa.chunked_array([batch["path"]]), none) for batch in found.batches())


def _chunks(paths: Iterable[Paths]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The paths that are there and those that are gone, CHUNK_FILES at a time."""
    there, gone = _PATH.empty_table(), _PATH.empty_table()
    for part in paths:
        there, gone = _and(there, part.there), _and(gone, part.gone)
        while there.num_rows + gone.num_rows >= CHUNK_FILES:
            yield there[:CHUNK_FILES], gone[: max(0, CHUNK_FILES - there.num_rows)]
            gone = gone[max(0, CHUNK_FILES - there.num_rows) :]
            there = there[CHUNK_FILES:]
    if there.num_rows or gone.num_rows:
        yield there, gone


def _and(paths: pa.Table, more: pa.ChunkedArray) -> pa.Table:
    return pa.concat_tables([paths, pa.table([more], schema=_PATH)])


def _readings(paths: pa.Table, known: pa.Table) -> Iterator[Reading]:
    """The paths in shares, in their order, each share with what is known of it."""
    looked_up = paths.join(known, "path").sort_by("path")
    size = min(max(paths.num_rows // _SHARES, SHARE_FILES.start), SHARE_FILES.stop)
    for start in range(0, looked_up.num_rows, size):
        part = looked_up.slice(start, size)
        columns = (part[name].to_pylist() for name in ("path", "status", "semantic_sha256", "sha256"))
        rows = {
            path: Known(status, meaning, sha256)
            for path, status, meaning, sha256 in zip(*columns, strict=True)
            if status is not None
        }
        yield Reading(part["path"].to_pylist(), rows)


def take_share(tree: Tree, reader: Reader, log: Log, paths: list[str], known: Mapping[str, Known]) -> Share:
    """Read a share of the files and write the rows of those with a new meaning. Runs in a worker process."""
    counts = Counts(seen=len(paths))
    tables = []
    unread: tuple[str, ...] = ()
    for start in range(0, len(paths), SHARD_FILES):
        shard = reader.read(tree, paths[start : start + SHARD_FILES], known)
        tables.append(shard.rows)
        unread += shard.unread
        statuses = Counter(shard.rows["status"].to_pylist())
        counts += Counts(
            accepted=statuses["accepted"],
            rejected=statuses["rejected"],
            skipped=statuses["skipped"],
            unchanged=shard.looked_at - shard.rows.num_rows,
            parsed=shard.parsed,
        )
    rows = pa.concat_tables(tables)
    return Share(counts, (log.write(rows),) if rows.num_rows else (), unread)

"""Take in what changed of a source: an unchanged file costs a stat, a touched one a hash, a changed one a parse.

Belongs here: deciding what to read and what is gone. Does not belong here: where files come from (`trees`), how one is
read (`reading`), where the rows are kept (the caller appends them).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import astuple, dataclass
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.content.reading import Known, Reader, removed_rows
from pipeline.content.stat_cache import StatCache
from pipeline.content.trees import Tree
from pipeline.errors import SourceError
from pipeline.lake.logs import Log, Part
from pipeline.settings import Source

WORTH_WORKERS = 2_000
"""Files below which starting worker processes costs more than reading them here."""
SHARD_FILES = 500
"""Files whose values are Python objects at once."""
_SHARES = 40
SHARE_FILES = range(SHARD_FILES, 5_000)
"""Files whose rows make one file of the log: enough shares that no worker is idle for long at the end, few enough files
that reading them stays cheap, and memory within bounds."""
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
    status, version_id, semantic_sha256, sha256."""

    def known(self, paths: pa.Table) -> pa.Table:
        """Those of `paths` (one column, `path`) that were ever seen."""
        ...

    def all(self) -> pa.Table:
        """Every path that was ever seen."""
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
    executor: Executor | None
    seen_before: int | None
    min_files_share: float

    def run(self) -> Counts:
        """Take the source in. Raises SourceError where it cannot be listed or has shrunk past belief."""
        found = self.tree.find(self.source.include, self.source.exclude)
        self._believe(found.num_rows)
        cached = self.cache.read()
        changed = self.cache.changed(found, cached)
        vanished = self.cache.vanished(found, cached)
        counts = Counts(seen=found.num_rows, unchanged=found.num_rows - changed.num_rows)
        if cached is not None and not changed.num_rows and not vanished.num_rows:
            return counts

        # Without a cache there is no telling by which rules the known bytes were read: all are parsed again.
        paths = changed.select(["path"])
        known = (
            self.memory.all()
            if cached is None
            else self.memory.known(pa.concat_tables([paths, vanished], promote_options="permissive"))
        )
        if cached is None:
            known = known.set_column(
                known.column_names.index("sha256"), "sha256", pa.nulls(known.num_rows, pa.string())
            )
        written: list[Part] = []
        unread: list[str] = []
        for share in self._read(paths, known):
            counts += share.counts
            written += share.parts
            unread += share.unread
            if sum(part.rows for part in written) >= COMMIT_ROWS:
                self.log.commit(written)
                written.clear()
        removed = self._removed(found, known)
        if removed.num_rows:
            written.append(self.log.write(removed))
        self.log.commit(written)
        self.cache.write(found, unread)
        return counts + Counts(removed=removed.num_rows)

    def _believe(self, seen: int) -> None:
        before = self.seen_before or 0
        if seen < before * self.min_files_share:
            raise SourceError(
                f"source {self.source.name}: {self.tree.place} holds {seen} files, but held {before} at the last"
                f" refresh: less than sanity.min_files_share ({self.min_files_share}). Nothing was changed. If the"
                " files are really gone, run once with NEWSLEDGER_SANITY__MIN_FILES_SHARE=0, or with"
                " min_files_share: 0 in the config of the run"
            )

    def _read(self, paths: pa.Table, known: pa.Table) -> Iterator[Share]:
        shares = _shares(paths, known)
        if self.executor is None or paths.num_rows <= WORTH_WORKERS:
            for part, rows in shares:
                yield take_share(self.tree, self.reader, self.log, part, rows)
            return
        # A short queue: enough to keep every worker busy, and memory flat however many files there are.
        waiting: list[Future[Share]] = []
        for part, rows in shares:
            waiting.append(self.executor.submit(take_share, self.tree, self.reader, self.log, part, rows))
            if len(waiting) >= 8:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()

    def _removed(self, found: pa.Table, known: pa.Table) -> pa.Table:
        """A row for each path of the log that is no longer there."""
        gone = known.filter(pc.not_equal(known["status"], "removed")).join(
            found.select(["path"]), "path", join_type="left anti"
        )
        reader = self.reader
        return removed_rows(
            gone.select(["path", "version_id", "semantic_sha256"]).sort_by("path"),
            source=self.source.name,
            seen_at=reader.seen_at,
            refresh_id=reader.refresh_id,
            commit=reader.commit,
        )


def _shares(paths: pa.Table, known: pa.Table) -> Iterator[tuple[list[str], dict[str, Known]]]:
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
        yield part["path"].to_pylist(), rows


def take_share(tree: Tree, reader: Reader, log: Log, paths: list[str], known: Mapping[str, Known]) -> Share:
    """Read a share of the files and write the rows of those with a new meaning. Runs in a worker process."""
    counts = Counts()
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

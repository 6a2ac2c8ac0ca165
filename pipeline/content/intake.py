"""Take in what changed of a source: an unchanged file costs a stat, a touched one a hash, a changed one a parse.

Belongs here: deciding what to read and what is gone. Does not belong here: where files come from (`trees`), how one is
read (`reading`), where the rows are kept (the caller appends them).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.content.reading import Known, Reader, Shard, removed_rows
from pipeline.content.stat_cache import StatCache
from pipeline.content.trees import Tree
from pipeline.errors import SourceError
from pipeline.settings import Source

SHARD_FILES = 500
WORTH_WORKERS = 2_000
"""Files below which starting worker processes costs more than reading them here."""
APPEND_ROWS = 10_000
"""Rows held before they are appended: bounds memory, and what a crash can lose."""


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


class Memory(Protocol):
    """What the log holds of a source, asked only when something changed. Each answer has one row a path: its last."""

    def known(self, paths: pa.Table) -> pa.Table:
        """path, status, semantic_sha256, sha256 of those of `paths` (one column, `path`) that were ever seen."""
        ...

    def gone(self, paths: pa.Table) -> pa.Table:
        """path, version_id, semantic_sha256 of the files that are not among `paths` and were not removed yet."""
        ...


@dataclass(frozen=True, slots=True)
class Intake:
    """How a source is taken in; `append` commits rows to the log."""

    source: Source
    tree: Tree
    reader: Reader
    cache: StatCache
    memory: Memory
    append: Callable[[pa.Table], None]
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
        if cached is not None and not changed.num_rows and not vanished:
            return Counts(seen=found.num_rows, unchanged=found.num_rows)

        counts = Counts(seen=found.num_rows, unchanged=found.num_rows - changed.num_rows)
        pending: list[pa.Table] = []
        for shard in self._read(changed.select(["path"]), bytes_are_known=cached is not None):
            counts = _add(counts, shard)
            pending.append(shard.rows)
            if sum(rows.num_rows for rows in pending) >= APPEND_ROWS:
                self.append(pa.concat_tables(pending))
                pending.clear()
        removed = self._removed(found)
        self.append(pa.concat_tables([*pending, removed]))
        self.cache.write(found)
        return replace(counts, removed=removed.num_rows)

    def _believe(self, seen: int) -> None:
        before = self.seen_before or 0
        if seen < before * self.min_files_share:
            raise SourceError(
                f"source {self.source.name}: {self.tree.place} holds {seen} files, but held {before} at the last"
                f" refresh: less than sanity.min_files_share ({self.min_files_share}). Nothing was changed. If the"
                " files are really gone, run once with NEWSLEDGER_SANITY__MIN_FILES_SHARE=0"
            )

    def _read(self, paths: pa.Table, *, bytes_are_known: bool) -> Iterator[Shard]:
        shards = self._shards(paths, bytes_are_known=bytes_are_known)
        if self.executor is None or paths.num_rows <= WORTH_WORKERS:
            for part, known in shards:
                yield self.reader.read(self.tree, part, known)
            return
        # A short queue: enough to keep every worker busy, and memory flat however many files there are.
        waiting: list[Future[Shard]] = []
        for part, known in shards:
            waiting.append(self.executor.submit(self.reader.read, self.tree, part, known))
            if len(waiting) >= 8:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()

    def _shards(self, paths: pa.Table, *, bytes_are_known: bool) -> Iterator[tuple[list[str], dict[str, Known]]]:
        """The paths in shares, each with what is known of it. Without a cache there is no telling by which rules the
        known bytes were read: all are parsed again."""
        if not paths.num_rows:
            return
        looked_up = paths.join(self.memory.known(paths), "path").sort_by("path")
        for start in range(0, looked_up.num_rows, SHARD_FILES):
            part = looked_up.slice(start, SHARD_FILES)
            columns = (part[name].to_pylist() for name in ("path", "status", "semantic_sha256", "sha256"))
            known = {
                path: Known(status, meaning, sha256 if bytes_are_known else None)
                for path, status, meaning, sha256 in zip(*columns, strict=True)
                if status is not None
            }
            yield part["path"].to_pylist(), known

    def _removed(self, found: pa.Table) -> pa.Table:
        """A row for each path of the log that is no longer there."""
        reader = self.reader
        return removed_rows(
            self.memory.gone(found.select(["path"])).sort_by("path"),
            source=self.source.name,
            seen_at=reader.seen_at,
            refresh_id=reader.refresh_id,
            commit=reader.commit,
        )


def _add(counts: Counts, shard: Shard) -> Counts:
    def count(status: str) -> int:
        return int(pc.sum(pc.equal(shard.rows["status"], status)).as_py() or 0)

    return replace(
        counts,
        accepted=counts.accepted + count("accepted"),
        rejected=counts.rejected + count("rejected"),
        skipped=counts.skipped + count("skipped"),
        unchanged=counts.unchanged + shard.looked_at - shard.rows.num_rows,
        parsed=counts.parsed + shard.parsed,
    )

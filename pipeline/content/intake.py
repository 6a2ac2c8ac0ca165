"""Take in what changed of a source: an unchanged file costs a stat, a touched one a hash, a changed one a parse.

Belongs here: deciding what to read and what is new. Does not belong here: how a file is read (`reading`), where the
rows are kept (the caller appends them).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.content.finding import find_files
from pipeline.content.meaning import Rules
from pipeline.content.paths import open_path
from pipeline.content.reading import read_files
from pipeline.content.stat_cache import StatCache
from pipeline.errors import SourceError
from pipeline.model.logs import DOCUMENTS
from pipeline.settings import Source

SHARD_FILES = 500
WORTH_WORKERS = 2_000
"""Files below which starting worker processes costs more than reading them here."""
APPEND_ROWS = 20_000
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


@dataclass(frozen=True, slots=True)
class Known:
    """The last row of a path in the log. `sha256` is None where the same bytes must be parsed again: nothing whole was
    read, or not by these rules."""

    status: str
    version_id: str
    semantic_sha256: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker made of its share: the rows of changed meaning, of so many paths looked at and files parsed."""

    rows: pa.Table
    looked_at: int
    parsed: int


@dataclass(frozen=True, slots=True)
class Intake:
    """How and when a source is taken in.

    `known` gives the last row of every path of the source in the log (path, status, version_id, semantic_sha256,
    sha256); it is asked only when something changed. `append` commits rows to the log.
    """

    source: Source
    rules: Rules
    seen_at: datetime
    refresh_id: str
    cache: StatCache
    known: Callable[[], pa.Table]
    append: Callable[[pa.Table], None]
    executor: Executor | None
    seen_before: int | None
    min_files_share: float

    def run(self) -> Counts:
        """Take the source in. Raises SourceError where it cannot be found or has shrunk past belief."""
        assert self.source.path is not None
        found = find_files(self.source.path, self.source.include, self.source.exclude)
        self._believe(found.num_rows)
        cached = self.cache.read()
        changed = self.cache.changed(found, cached)
        vanished = self.cache.vanished(found, cached)
        if cached is not None and not changed.num_rows and not vanished:
            return Counts(seen=found.num_rows, unchanged=found.num_rows)

        known = self._known_rows()
        if cached is None:  # no telling by which rules the known bytes were read: all are parsed again
            known = {path: replace(row, sha256=None) for path, row in known.items()}
        counts = Counts(seen=found.num_rows)
        pending: list[pa.Table] = []
        for shard in self._read(changed["path"].to_pylist(), known):
            new = _tally(shard.rows)
            counts = replace(
                counts,
                accepted=counts.accepted + new.accepted,
                rejected=counts.rejected + new.rejected,
                skipped=counts.skipped + new.skipped,
                unchanged=counts.unchanged + shard.looked_at - shard.rows.num_rows,
                parsed=counts.parsed + shard.parsed,
            )
            pending.append(shard.rows)
            if sum(rows.num_rows for rows in pending) >= APPEND_ROWS:
                self.append(pa.concat_tables(pending))
                pending.clear()
        removed = self._removed(found, known)
        self.append(pa.concat_tables([*pending, removed]))
        self.cache.write(found)
        return replace(
            counts,
            unchanged=counts.unchanged + found.num_rows - changed.num_rows,
            removed=removed.num_rows,
        )

    def _believe(self, seen: int) -> None:
        before = self.seen_before or 0
        if seen < before * self.min_files_share:
            raise SourceError(
                f"source {self.source.name}: {self.source.path} holds {seen} files, but held {before} at the last"
                f" refresh: less than sanity.min_files_share ({self.min_files_share}). Nothing was changed. If the"
                " files are really gone, run once with NEWSLEDGER_SANITY__MIN_FILES_SHARE=0"
            )

    def _known_rows(self) -> dict[str, Known]:
        rows = self.known()
        columns = (rows[name].to_pylist() for name in ("path", "status", "version_id", "semantic_sha256", "sha256"))
        return {path: Known(*values) for path, *values in zip(*columns, strict=True)}

    def _read(self, paths: Sequence[str], known: dict[str, Known]) -> Iterator[Shard]:
        assert self.source.path is not None
        work = partial(read_shard, self.source.path, self.source.name, self.rules, self.seen_at, self.refresh_id)
        shards = (
            (part, {path: known[path] for path in part if path in known})
            for part in (paths[start : start + SHARD_FILES] for start in range(0, len(paths), SHARD_FILES))
        )
        if self.executor is None or len(paths) <= WORTH_WORKERS:
            for part, rows in shards:
                yield work(part, rows)
            return
        # A short queue: enough to keep every worker busy, and memory flat however many files there are.
        waiting: list[Future[Shard]] = []
        for part, rows in shards:
            waiting.append(self.executor.submit(work, part, rows))
            if len(waiting) >= 8:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()

    def _removed(self, found: pa.Table, known: dict[str, Known]) -> pa.Table:
        """A row for each path of the log that is no longer there."""
        here = set(found["path"].to_pylist())
        gone = [(path, row) for path, row in known.items() if path not in here and row.status != "removed"]
        rows = [
            {
                "source": self.source.name,
                "path": path,
                "version_id": row.version_id,
                "status": "removed",
                "seen_at": self.seen_at,
                "refresh_id": self.refresh_id,
                "semantic_sha256": row.semantic_sha256,
            }
            for path, row in sorted(gone)
        ]
        return pa.Table.from_pylist(rows, schema=DOCUMENTS)


def read_shard(
    root: Path,
    source: str,
    rules: Rules,
    seen_at: datetime,
    refresh_id: str,
    paths: Sequence[str],
    known: dict[str, Known],
) -> Shard:
    """The rows of those `paths` whose meaning is not the one that is known. Runs in a worker process."""
    to_parse = []
    for path in paths:
        row = known.get(path)
        if row is None or row.sha256 is None or row.sha256 != _sha256(root, path):
            to_parse.append(path)
    rows = read_files(root, source, to_parse, rules, seen_at, refresh_id)
    meanings = zip(*(rows[name].to_pylist() for name in ("path", "status", "semantic_sha256")), strict=True)
    is_new = pa.array([_is_new(known.get(path), *meaning) for path, *meaning in meanings], pa.bool_())
    return Shard(rows.filter(is_new), len(paths), len(to_parse))


def _is_new(known: Known | None, status: str, semantic_sha256: str) -> bool:
    return known is None or (known.status, known.semantic_sha256) != (status, semantic_sha256)


def _sha256(root: Path, path: str) -> str | None:
    try:
        with open(open_path(root, path), "rb") as file:  # noqa: PTH123  pathlib knows no bytes
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _tally(rows: pa.Table) -> Counts:
    def count(status: str) -> int:
        return int(pc.sum(pc.equal(rows["status"], status)).as_py() or 0)

    return Counts(accepted=count("accepted"), rejected=count("rejected"), skipped=count("skipped"))

"""The three append-only logs as Delta tables. Nothing here updates or deletes a row."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from pipeline.errors import LakeError
from pipeline.lake.store import Store, plain_words, store_of
from pipeline.model.logs import DOCUMENTS, LINK_CHECKS, REFRESHES

ROW_GROUP_ROWS = 122_880
"""DuckDB's own row-group size: Parquet with others loads slower and makes larger files (measured on 9 M rows)."""
ZSTD_LEVEL = 1
"""The next two levels save a few per cent of space and cost half as much time again."""
_NIGHT = "night"
_SMALL_BYTES = 4 << 20
_MANY_FILES = 64
_MERGED_BYTES = 64 << 20
_CONFIGURATION = {"delta.checkpointInterval": "10"}
"""Opening a log reads its commits since the last checkpoint, half a millisecond each; the default is 100."""
_MERGING = WriterProperties(compression="ZSTD", compression_level=ZSTD_LEVEL, max_row_group_size=ROW_GROUP_ROWS)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows written beside a log's files, and not of the log before they are committed."""

    file: str
    rows: int
    size_bytes: int
    nights: tuple[date, date] | None = None
    """The first and the last, where the rows are of nights."""

    def statistics(self) -> str:
        """What Delta is told of the file, so that who wants some nights need not open those of others."""
        told: dict[str, object] = {"numRecords": self.rows}
        if self.nights is not None:
            first, last = self.nights
            told |= {"minValues": {_NIGHT: f"{first}"}, "maxValues": {_NIGHT: f"{last}"}, "nullCount": {_NIGHT: 0}}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Log:
    """One append-only log: `append` commits a table of its schema, `files` lists what to read.

    Rows can also be written by several processes and committed by one: a part that is never committed, since its writer
    or its committer died, is no part of the log.
    """

    name: str
    schema: pa.Schema
    store: Store
    _opened: list[DeltaTable] = field(default_factory=list, init=False, compare=False, repr=False)
    """The table as it was last seen: what was committed since costs one look."""

    def __reduce__(self) -> tuple[type["Log"], tuple[str, pa.Schema, Store]]:
        return Log, (self.name, self.schema, self.store)

    def append(self, rows: pa.Table) -> None:
        """Commit `rows` at once or not at all. No rows, no commit. Raises LakeError where the log cannot be written."""
        self.commit([self.write(rows)] if rows.num_rows else [])

    def write(self, rows: pa.Table) -> Part:
        """Write `rows` as a part that can be committed. Raises LakeError where that fails."""
        name = f"part-{uuid4().hex}.zstd.parquet"
        try:
            file = self.store.target(name)
            pq.write_table(
                rows.cast(self.schema),
                file,
                compression="zstd",
                compression_level=ZSTD_LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                store_schema=False,  # the log's own says it all
            )
            part = Part(name, rows.num_rows, file.stat().st_size, _nights_of(rows))
            self.store.put(name)
        except (OSError, LakeError) as error:
            with suppress(LakeError):
                self.store.delete([name])
            raise self._cannot_append(rows.num_rows, error) from error
        return part

    def commit(self, parts: Sequence[Part]) -> None:
        """Make the parts rows of the log, all or none. Raises LakeError where that fails."""
        if parts:
            self._commit(parts, None)

    def commit_batch(self, spool: str, number: int, rows: pa.Table) -> None:
        """Commit the rows of a spool's batch, after which `batches` is its number. Raises as `commit`."""
        marked = CommitProperties(app_transactions=[Transaction(spool, number)])
        self._commit([self.write(rows)] if rows.num_rows else [], marked)

    def batches(self, spool: str) -> int:
        """The number of the last batch of a spool that was committed, 0 where none was."""
        table = self._open()
        return (table.transaction_version(spool) or 0) if table else 0

    def _commit(self, parts: Sequence[Part], properties: CommitProperties | None) -> None:
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [
            AddAction(part.file, part.size_bytes, {}, now, True, part.statistics()) for part in parts
        ]
        try:
            table = self._open() or DeltaTable.create(
                self.store.place,
                self.schema,
                mode="ignore",
                name=self.name,
                configuration=_CONFIGURATION,
                storage_options=self.store.delta_options,
            )
            known = {field.name for field in table.schema().fields}
            if missing := [field for field in self.schema if field.name not in known]:  # an earlier version began it
                table.alter.add_columns([*DeltaSchema.from_arrow(pa.schema(missing)).fields])
            table.create_write_transaction(actions, "append", self.schema, commit_properties=properties)
        except (OSError, DeltaError) as error:
            raise self._cannot_append(sum(part.rows for part in parts), error) from error

    def files(self, night: date | None = None) -> list[str]:
        """Where to read the Parquet files of the current version, or those of them that can hold rows of the night;
        none where nothing was ever appended."""
        table = self._open()
        if table is None:
            return []
        names = [
            name
            for name, _, first, last in self._spans(table)
            if night is None or not (first and last) or first <= night <= last
        ]
        return [*map(str, self.store.fetch(names))]

    def rows_by_night(self) -> dict[date, int]:
        """How many rows each night has, by the nights. Of most files their statistics tell; only of those that hold
        several nights the one column is read."""
        table = self._open()
        rows: Counter[date] = Counter()
        for name, count, first, last in self._spans(table) if table else ():
            if first is not None and first == last:
                rows[first] += count
            else:
                [file] = self.store.fetch([name])
                for entry in pq.read_table(file, columns=[_NIGHT])[_NIGHT].value_counts().to_pylist():
                    rows[entry["values"]] += entry["counts"]
        return dict(sorted(rows.items()))

    def _spans(self, table: DeltaTable) -> list[tuple[str, int, date | None, date | None]]:
        """Each file with its rows and its first and last night, where its statistics have them."""
        actions = pa.table(table.get_add_actions(flatten=True))
        unknown = pa.nulls(actions.num_rows, pa.date32())
        first, last = (
            actions[name] if name in actions.column_names else unknown for name in (f"min.{_NIGHT}", f"max.{_NIGHT}")
        )
        names = actions["path"].to_pylist()
        return [*zip(names, actions["num_records"].to_pylist(), first.to_pylist(), last.to_pylist(), strict=True)]

    def state(self) -> str:
        """Names the content of the log: its table's id and, since it only grows, its number of rows; empty where
        nothing was ever appended."""
        table = self._open()
        return "" if table is None else f"{table.metadata().id}@{sum(_column(table, 'num_records'))}"

    def size(self) -> tuple[int, int]:
        """Its rows, and the bytes of its files."""
        table = self._open()
        if table is None:
            return 0, 0
        return sum(_column(table, "num_records")), sum(_column(table, "size_bytes"))

    def table_id(self) -> str:
        """Names the log itself, whatever it holds."""
        return self.state().partition("@")[0]

    def compact(self) -> None:
        """Merge the small files that many nights leave into fewer; the rows stay as they are. The files merged stay for
        a week, for whoever reads them now."""
        table = self._open()
        if table is None or sum(size < _SMALL_BYTES for size in _column(table, "size_bytes")) < _MANY_FILES:
            return
        try:
            table.optimize.compact(target_size=_MERGED_BYTES, writer_properties=_MERGING)
            table.vacuum(dry_run=False, full=True)  # with the parts that a killed run never committed
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"{self.store.place}: the {self.name} log cannot be compacted: {plain_words(error)}; nothing is lost"
            ) from error

    def _cannot_append(self, rows: int, error: Exception) -> LakeError:
        return LakeError(
            f"{self.store.place}: {rows} rows could not be appended to the {self.name} log: {plain_words(error)}."
            f" Nothing of them was kept; {self.store.remedy} and run the refresh again"
        )

    def _open(self) -> DeltaTable | None:
        try:
            if self._opened:
                self._opened[0].update_incremental()
            else:
                self._opened.append(DeltaTable(self.store.place, storage_options=self.store.delta_options))
            return self._opened[0]
        except TableNotFoundError:
            return None
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"{self.store.place}: the {self.name} log cannot be read: {plain_words(error)}; {self.store.remedy}"
            ) from error


def _nights_of(rows: pa.Table) -> tuple[date, date] | None:
    if _NIGHT not in rows.column_names or not rows.num_rows:
        return None
    ends = pc.min_max(rows[_NIGHT])
    return ends["min"].as_py(), ends["max"].as_py()


def _column(table: DeltaTable, name: str) -> list[int]:
    """A figure of each file of the current version."""
    values: list[int] = pa.table(table.get_add_actions(flatten=True))[name].to_pylist()
    return values


@dataclass(frozen=True, slots=True)
class Logs:
    """The three logs of a lake."""

    documents: Log
    link_checks: Log
    refreshes: Log

    @classmethod
    def of(cls, lake: Store | Path) -> "Logs":
        def log(name: str, schema: pa.Schema) -> Log:
            return Log(name, schema, store_of(lake).within(f"log/{name}"))

        return cls(log("documents", DOCUMENTS), log("link_checks", LINK_CHECKS), log("refreshes", REFRESHES))

    def __iter__(self) -> Iterator[Log]:
        return iter((self.documents, self.link_checks, self.refreshes))

"""A DuckDB session over the lake: the logs as views, the SQL of `sql/` run into tables and Parquet files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.lake.files import replacing
from pipeline.lake.logs import ROW_GROUP_ROWS, Log
from pipeline.lake.relations import Relation
from pipeline.model.ids import ID_MACROS
from pipeline.model.tables import TABLES
from pipeline.model.text import TEXT_MACROS
from pipeline.model.urls import URL_MACROS

BATCH_ROWS = 50_000
"""Rows that Python computes at a time."""
PART_ROWS = 2_000_000
"""Rows that are gathered at a time where a relation asks for parts. What an aggregate keeps of texts stays in memory,
whatever its limit: 0.5 GB of two million mentions."""


@dataclass(frozen=True, slots=True)
class Session:
    """A private in-memory DuckDB with the lake in reach, in the schemas log, this, forms, kept, staging, coverage,
    links, reports and ops."""

    connection: duckdb.DuckDBPyConnection

    def run(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[object, ...]]:
        """Every row of a statement (fetched whole: a result left open would block the next statement)."""
        return self.connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[object] = ()) -> object:
        """The one value of a one-row, one-column statement."""
        return self.run(sql, parameters)[0][0]

    def table(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pa.Table:
        """The result of a query."""
        return self.connection.sql(sql, params=parameters).to_arrow_table()

    def give(self, full_name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Make `rows` a table of the session."""
        self._select_given(f"create or replace table {full_name} as", "*", rows)

    def give_computed(
        self,
        full_name: str,
        query: str,
        compute: Callable[[pa.RecordBatch], pa.RecordBatch],
        schema: pa.Schema,
        columns: str = "*",
    ) -> None:
        """Make what `compute` makes of each batch of a query's rows, in `schema`, a table of the session, with those
        `columns` selected of it. Batch by batch: the rows are never held whole outside the database."""
        self._select_given(f"create table {full_name} as", columns, schema.empty_table())
        with _within_memory(full_name), self.connection.cursor() as reading:
            for batch in reading.sql(query).to_arrow_reader(BATCH_ROWS):
                self._select_given(f"insert into {full_name}", columns, pa.Table.from_batches([compute(batch)]))

    def _select_given(self, into: str, columns: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        self.connection.register("given_rows", rows)
        self.connection.execute(f"{into} select {columns} from given_rows")
        self.connection.unregister("given_rows")

    def make(self, relation: Relation) -> None:
        """Make the relation a table, or the view that it asks to be: with its declared columns, or, of `sql/staging`,
        with those it yields.

        Raises LakeError naming the SQL file where the SQL fails or does not yield what is declared.
        """
        table = TABLES.get(relation.full_name)
        columns = "*" if table is None else table.select_list()
        kind = "view" if relation.tags.get("kept") == "as a view" else "table"
        select = f"select {columns} from (\n{relation.sql}\n)"
        into = f"create or replace {kind} {relation.full_name} as"
        try:
            with _within_memory(relation.file):
                for part in self._parts(relation.tags.get("in parts of")):
                    self.connection.execute(f"{part} {into} {select}")
                    into = f"insert into {relation.full_name}"
        except duckdb.Error as error:
            raise LakeError(f"{relation.file}: {error}") from error

    def _parts(self, gathered: str | None) -> list[str]:
        """What lets through each part of the relation's rows in turn, as statements; of none, all at once."""
        if gathered is None:
            return [""]
        rows = self.value(f"select count(*) from {gathered}")
        assert isinstance(rows, int)
        parts = max(1, -(-rows // PART_ROWS))
        return [f"create or replace macro in_part(key) as hash(key) % {parts} = {part};" for part in range(parts)]

    def write(self, full_name: str, key: Iterable[str], target: Path) -> int:
        """Write a table of the session as one Parquet file in the order of its key; the rows written."""
        order = ", ".join(f'"{column}"' for column in key)
        try:
            with _within_memory(str(target)), replacing(target) as temporary:
                self.connection.execute(
                    f"copy (select * from {full_name} order by {order}) to {literal(temporary)}"
                    f" (format parquet, compression zstd, compression_level 3, row_group_size {ROW_GROUP_ROWS})"
                )
        except (duckdb.Error, OSError) as error:
            raise LakeError(
                f"{target}: the table {full_name} cannot be written: {error}. The last published tables stay;"
                " free the disk or mend the permissions and run the refresh again"
            ) from error
        count = self.value(f"select count(*) from {full_name}")
        assert isinstance(count, int)
        return count

    def attach_log(self, log: Log, night: date | None = None) -> None:
        """The log, or its rows of one night, as the view `log.<name>`, over an explicit list of its files. Columns that
        the version of Newsledger which wrote a file did not know are null."""
        self.give(f"log.no_{log.name}", log.schema.empty_table())
        files = log.files(night)
        wanted = "" if night is None else f" where night = date '{night}'"
        written = f"select * from log.no_{log.name}"
        if files:
            written += f" union all by name select * from read_parquet({listed(files)}, union_by_name = true){wanted}"
        self.connection.execute(f"create or replace view log.{log.name} as {written}")

    def drop(self, full_name: str) -> None:
        """Give back what a relation of the session takes, if there is one."""
        try:
            self.connection.execute(f"drop table if exists {full_name}")
        except duckdb.CatalogException:  # it is a view
            self.connection.execute(f"drop view {full_name}")

    def attach_table(self, full_name: str, files: Iterable[Path]) -> None:
        """A table of a snapshot as a view of its files, whatever stood there."""
        self.drop(full_name)
        self.connection.execute(f"create view {full_name} as select * from read_parquet({listed(files)})")


@contextmanager
def open_session(memory_limit: str, scratch: Path, logs: Iterable[Log] = ()) -> Iterator[Session]:
    """A session that spills to `scratch` above `memory_limit`, with the logs attached."""
    scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(scratch),
            "enable_external_file_cache": False,
            "preserve_insertion_order": False,
        }
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")  # which would be drawn into a pipe, too
        # Left to choose, DuckDB 2.0 builds hash tables of the items, the widest side, which no memory limit holds.
        connection.execute("set disabled_optimizers = 'build_side_probe_side'")
        for schema in ("log", "this", "forms", "kept", "staging", "coverage", "links", "reports", "ops"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(ID_MACROS)
        connection.execute(TEXT_MACROS)
        connection.execute(URL_MACROS)
        session = Session(connection)
        for log in logs:
            session.attach_log(log)
        yield session
    finally:
        connection.close()


@contextmanager
def _within_memory(what: str) -> Iterator[None]:
    """Raises LakeError, which names the setting to raise, where what is made exceeds all that DuckDB may hold."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LakeError(
            f"{what}: it does not fit into the memory that DuckDB may use. The last published tables stay; raise"
            " warehouse.memory_limit, or free the disk where it is that which is full, and run the refresh again."
            f" {error}"
        ) from error


def listed(files: Iterable[str | Path]) -> str:
    """The files as a list of SQL, where a statement takes no parameter."""
    return f"[{', '.join(map(literal, files))}]"


def literal(text: str | Path) -> str:
    """The text as a literal of SQL, where a statement takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"

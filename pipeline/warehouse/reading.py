"""Read a published warehouse. Nothing here can write to it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import QueryError, WarehouseError


def read_file(link: Path) -> Path:
    """The published file that `link` names now. Raises WarehouseError where nothing was published yet."""
    try:
        return link.resolve(strict=True)
    except FileNotFoundError:
        raise WarehouseError(f"{link}: no warehouse was published yet; run `newsledger refresh`") from None


def query(file: Path, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pa.Table:
    """The result of one SQL statement over the warehouse `file`, read-only.

    Raises QueryError with DuckDB's own words, WarehouseError where the file cannot be opened.
    """
    connection = _open(file)
    try:
        relation = connection.sql(sql, params=parameters)
        return pa.table({}) if relation is None else relation.to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one statement, or the first of them."""

    rows: pa.Table
    has_more: bool


@dataclass(slots=True)
class Conversation:
    """Statement after statement, each to the warehouse that is published when it is sent. One connection until another
    one is published: what was set, and temporary tables, last as long."""

    link: Path
    file: Path | None = None
    _connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def follow(self) -> bool:
        """Whether another warehouse is published than was open; it is open now. Raises WarehouseError."""
        published = read_file(self.link)
        if published == self.file:
            return False
        opened = _open(published)
        self.close()
        self.file, self._connection = published, opened
        return True

    def ask(self, text: str, most: int) -> Iterator[Answer]:
        """At most so many rows of each statement of the text, one after the other; a KeyboardInterrupt ends the query
        too. Raises QueryError with DuckDB's own words."""
        try:
            for statement in self._connection.extract_statements(text):
                rows = self._rows(statement, most + 1)
                yield Answer(rows.slice(0, most), rows.num_rows > most)
        except duckdb.Error as error:
            raise QueryError(str(error)) from error

    def _rows(self, statement: duckdb.Statement, most: int) -> pa.Table:
        """Asked by a thread of its own: the one that waits hears a signal, DuckDB's own code does not."""

        def rows() -> pa.Table:
            relation = self._connection.sql(statement)
            return pa.table({}) if relation is None else relation.limit(most).to_arrow_table()

        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(rows)
            try:
                return asked.result()
            except KeyboardInterrupt:
                self._connection.interrupt()
                raise

    def close(self) -> None:
        self._connection.close()


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{file}: the warehouse cannot be opened: {error}") from error
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    return connection

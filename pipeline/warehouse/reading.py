"""Read a published warehouse. Nothing here can write to it."""

from collections.abc import Mapping, Sequence
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
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{file}: the warehouse cannot be opened: {error}") from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        relation = connection.sql(sql, params=parameters)
        return pa.table({}) if relation is None else relation.to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    finally:
        connection.close()

"""Copy tables of a published warehouse into files that other programs open: Parquet, CSV, or one Excel workbook.

DuckDB writes Parquet and CSV, XlsxWriter the workbook; what is here is which tables, in which order, and what Excel
cannot hold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

import duckdb
import orjson
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from pipeline.errors import QueryError, WarehouseError
from pipeline.lake.files import replacing
from pipeline.lake.session import literal

WORKBOOK = "newsledger.xlsx"
SHEET_ROWS = 1_048_576
"""Rows of a sheet, its heading among them."""
CELL_CHARACTERS = 32_767
_SHEET_NAME = 31
_EXACT = 2**53
_FIRST_DAY = date(1900, 3, 1)
"""Before it, Excel counts a day that never was."""
_COPY = {
    "parquet": "format parquet, compression zstd",
    "csv": "format csv, header",
}
_BATCH = 10_000


class ExportFormat(StrEnum):
    """What is written."""

    PARQUET = "parquet"
    CSV = "csv"
    EXCEL = "excel"


@dataclass(frozen=True, slots=True)
class Exported:
    """One table and the file that it was written into. `cut` texts were longer than a cell of Excel holds."""

    relation: str
    file: Path
    rows: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    key: str
    rows: int

    @property
    def ordered(self) -> str:
        order = ", ".join(f'"{column.strip()}"' for column in self.key.split(","))
        return f"select * from {self.name} order by {order}"


def export_tables(warehouse: Path, wanted: Sequence[str], folder: Path, form: ExportFormat) -> list[Exported]:
    """Write the wanted schemas and tables into `folder`, the rows in the order of their keys. Files of an earlier
    export are replaced, each whole or not at all.

    Raises QueryError where nothing is called so or Excel cannot hold it, WarehouseError where a file cannot be written.
    """
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
            tables = _chosen(connection, wanted)
            folder.mkdir(parents=True, exist_ok=True)
            if form is ExportFormat.EXCEL:
                return _workbook(connection, tables, folder / WORKBOOK)
            return [_copy(connection, table, folder / f"{table.name}.{form}", _COPY[form]) for table in tables]
    except (duckdb.Error, OSError, XlsxWriterException) as error:
        raise WarehouseError(f"{folder}: cannot export {warehouse}: {error}") from error


def _chosen(connection: duckdb.DuckDBPyConnection, wanted: Iterable[str]) -> list[_Table]:
    """The tables by schema or by name, as the warehouse's own catalog has them."""
    catalog = connection.execute(
        "select schema, relation, key, row_count from ops.catalog where kind = 'table' order by relation"
    ).fetchall()
    names = {name for schema, relation, *_ in catalog for name in (schema, relation)}
    for name in wanted:
        if name not in names:
            schemas = ", ".join(sorted({schema for schema, *_ in catalog}))
            raise QueryError(
                f"{name}: no such schema or table; schemas are {schemas}, and ops.catalog lists the tables"
            )
    return [_Table(relation, key, rows) for schema, relation, key, rows in catalog if {schema, relation} & set(wanted)]


def _copy(connection: duckdb.DuckDBPyConnection, table: _Table, target: Path, options: str) -> Exported:
    with replacing(target) as temporary:
        connection.execute(f"copy ({table.ordered}) to {literal(temporary)} ({options})")
    return Exported(table.name, target, table.rows)


def _workbook(connection: duckdb.DuckDBPyConnection, tables: Sequence[_Table], target: Path) -> list[Exported]:
    for table in tables:
        if table.rows >= SHEET_ROWS:
            raise QueryError(
                f"{table.name}: {table.rows:,} rows, and a sheet of Excel holds {SHEET_ROWS - 1:,};"
                " choose fewer tables, or export to parquet or csv"
            )
    # A text of the world that looks like a formula, a number or a link stays the text that it is.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with replacing(target) as temporary, xlsxwriter.Workbook(str(temporary), options) as book:
        return [
            Exported(table.name, target, table.rows, _sheet(connection, table, book, name))
            for table, name in zip(tables, _sheet_names(tables), strict=True)
        ]


def _sheet(connection: duckdb.DuckDBPyConnection, table: _Table, book: xlsxwriter.Workbook, name: str) -> int:
    """One table on a sheet of its own; how many texts had to be cut."""
    sheet = book.add_worksheet(name)
    heading = book.add_format({"bold": True})
    moments = {
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    cursor = connection.execute(table.ordered)
    columns = [column[0] for column in cursor.description or ()]
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column, heading)
    sheet.freeze_panes(1, 0)
    cut = 0
    for number, row in enumerate(_rows(cursor), 1):
        for position, value in enumerate(row):
            match _cell(value):
                case None:
                    pass
                case bool(cell):
                    sheet.write_boolean(number, position, cell)
                case int(cell) | float(cell):
                    sheet.write_number(number, position, cell)
                case str(cell):
                    cut += len(cell) > CELL_CHARACTERS
                    sheet.write_string(number, position, cell[:CELL_CHARACTERS])
                case cell:
                    sheet.write_datetime(number, position, cell, moments[type(cell)])
    sheet.autofilter(0, 0, table.rows, len(columns) - 1)
    return cut


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    while batch := cursor.fetchmany(_BATCH):
        yield from batch


def _cell(value: object) -> bool | int | float | str | date | None:
    """The value as Excel can hold it: times in UTC without a zone; what it has no type for, or holds inexactly, as
    text, lists and structs as JSON."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _EXACT else str(value)
        case float():
            return value if abs(value) < float("inf") else str(value)
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None)
            return moment if moment.date() >= _FIRST_DAY else moment.isoformat(" ")
        case date():
            return value if value >= _FIRST_DAY else value.isoformat()
        case list() | dict():
            return orjson.dumps(value, default=str).decode()
        case _:
            return str(value)


def _sheet_names(tables: Iterable[_Table]) -> list[str]:
    """A name of at most 31 characters for each, without its schema."""
    names: list[str] = []
    for table in tables:
        name = table.name.partition(".")[2][:_SHEET_NAME]
        taken = sum(other.lower() == name.lower() for other in names)
        names.append(f"{name[: _SHEET_NAME - 2]}~{taken + 1}" if taken else name)
    return names

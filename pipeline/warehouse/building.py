"""Build a new warehouse file from a snapshot's Parquet files, with comments on everything and every row counted."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.lake.relations import relation
from pipeline.lake.snapshots import TableFile
from pipeline.model.tables import TABLES, Table
from pipeline.settings import Warehouse

BUILDING = ".building"


def build_warehouse(
    folder: Path, refresh_id: str, tables: Mapping[str, tuple[TableFile, Path]], rules: Warehouse
) -> Path:
    """The file of a new, checked, unpublished warehouse. Left-overs of killed builds are removed first.

    Raises WarehouseError where a table cannot be loaded or does not have the rows its snapshot counts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"*{BUILDING}*"):
        leftover.unlink()
    target = folder / f"{refresh_id}.duckdb{BUILDING}"
    try:
        connection = duckdb.connect(
            str(target),
            config={
                "memory_limit": rules.memory_limit,
                "storage_compatibility_version": rules.storage_version,
                "preserve_insertion_order": False,
            },
        )
        try:
            connection.execute("set enable_progress_bar = false")
            for schema in sorted({TABLES[full_name].schema for full_name in tables} | {"ops"}):
                connection.execute(f"create schema {schema}")
            for full_name, (table, file) in tables.items():
                _load(connection, TABLES[full_name], table, file)
            _catalog(connection, tables)
            connection.execute("checkpoint")
        finally:
            connection.close()
    except duckdb.Error as error:
        raise WarehouseError(
            f"{target}: the warehouse cannot be built: {error}; the last published one stays"
        ) from error
    return target


def _load(connection: duckdb.DuckDBPyConnection, declared: Table, table: TableFile, file: Path) -> None:
    connection.execute(declared.definition())
    connection.execute(f"insert into {declared.full_name} select * from read_parquet(?)", [str(file)])
    rows = connection.execute(f"select count(*) from {declared.full_name}").fetchall()[0][0]
    if rows != table.rows:
        raise WarehouseError(f"{declared.full_name}: {rows} rows were loaded, but {file} counts {table.rows}")
    _comment(connection, declared, relation(declared.full_name).description)


def _catalog(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, tuple[TableFile, Path]]) -> None:
    declared = TABLES["ops.catalog"]
    connection.execute(declared.definition())
    for full_name, (table, _) in sorted(tables.items()):
        made = relation(full_name)
        connection.execute(
            "insert into ops.catalog values (?, ?, ?, ?, ?, ?)",
            [full_name, made.tags.get("grain"), ", ".join(made.key), made.description, made.file, table.rows],
        )
    _comment(connection, declared, "Every relation of this warehouse: what it holds, what a row is, where its SQL is.")


def _comment(connection: duckdb.DuckDBPyConnection, declared: Table, description: str) -> None:
    connection.execute(f"comment on table {declared.full_name} is {_literal(description)}")
    for column in declared.columns:
        connection.execute(f'comment on column {declared.full_name}."{column.name}" is {_literal(column.meaning)}')


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

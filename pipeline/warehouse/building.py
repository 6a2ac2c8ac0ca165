"""Build a new warehouse file from a snapshot's Parquet files, with comments on everything and every row counted."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.lake.relations import Relation, relation, relations
from pipeline.lake.session import literal
from pipeline.lake.snapshots import TableFile
from pipeline.model.tables import TABLES, Table
from pipeline.settings import Warehouse

BUILDING = ".building"


def build_warehouse(
    folder: Path, refresh_id: str, tables: Mapping[str, tuple[TableFile, Sequence[Path]]], rules: Warehouse
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
            for full_name, (table, files) in tables.items():
                _load(connection, TABLES[full_name], table, files)
            connection.begin()  # one transaction: each costs a sync, and there are hundreds of comments
            for full_name in tables:
                _comment(connection, TABLES[full_name], relation(full_name).description)
            macros = _macros(connection, tables.keys())
            _catalog(connection, tables, macros)
            connection.commit()
            connection.execute("checkpoint")
        finally:
            connection.close()
    except duckdb.Error as error:
        raise WarehouseError(
            f"{target}: the warehouse cannot be built: {error}; the last published one stays"
        ) from error
    return target


def _load(connection: duckdb.DuckDBPyConnection, declared: Table, table: TableFile, files: Sequence[Path]) -> None:
    connection.execute(declared.definition())
    connection.execute(f"insert into {declared.full_name} select * from read_parquet(?)", [[*map(str, files)]])
    rows = connection.execute(f"select count(*) from {declared.full_name}").fetchall()[0][0]
    if rows != table.rows:
        raise WarehouseError(
            f"{declared.full_name}: {rows} rows were loaded, but the snapshot counts {table.rows} in {files[-1].parent}"
        )


def _macros(connection: duckdb.DuckDBPyConnection, loaded: AbstractSet[str]) -> list[Relation]:
    """Make the macros of `sql/macros` whose tables are there, commented; each is planned once, since DuckDB would tell
    of a wrong one only when it is called."""
    macros = [found for found in relations("macros") if found.reads <= loaded]
    for found in macros:
        connection.execute(f"create macro {found.tags['call']} as table (\n{found.sql}\n)")
        connection.execute(f"comment on macro table {found.name} is {literal(found.description)}")
        connection.execute(f"explain from {found.name}('')")
    return macros


def _catalog(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, tuple[TableFile, Sequence[Path]]],
    macros: Iterable[Relation],
) -> None:
    declared = TABLES["ops.catalog"]
    description = "Every relation and macro of this warehouse: what it holds, what a row is, where its SQL is."
    rows: list[tuple[object, ...]] = []
    for full_name, (table, _) in tables.items():
        made = relation(full_name)
        rows.append((full_name, made.schema, "table", *_told(made), ", ".join(made.key), made.file, table.rows))
    rows += [(found.tags["call"], "main", "macro", *_told(found), None, found.file, None) for found in macros]
    rows.append((declared.full_name, "ops", "table", "relation or macro", description, "relation", None, len(rows) + 1))
    connection.execute(declared.definition())
    connection.executemany(
        "insert into ops.catalog (relation, schema, kind, grain, description, key, sql_file, row_count)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        sorted(rows, key=lambda row: (row[2] != "table", row[0])),
    )
    _comment(connection, declared, description)


def _told(made: Relation) -> tuple[str | None, str]:
    return made.tags.get("grain"), made.description


def _comment(connection: duckdb.DuckDBPyConnection, declared: Table, description: str) -> None:
    connection.execute(f"comment on table {declared.full_name} is {literal(description)}")
    for column in declared.columns:
        connection.execute(f'comment on column {declared.full_name}."{column.name}" is {literal(column.meaning)}')

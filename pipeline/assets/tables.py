"""What the assets of tables share: their specs, made from the SQL files and declared columns, and their results."""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from pipeline.checks import asset_key
from pipeline.lake.build import Built
from pipeline.lake.relations import Relation, relation, relations
from pipeline.lake.snapshots import TableFile
from pipeline.model.tables import TABLES, Table

OWNERS = ["team:newsledger"]


def table_specs(schema: str, kinds: set[str], log_keys: Mapping[str, Iterable[dg.AssetKey]]) -> list[dg.AssetSpec]:
    """One asset spec for each relation of `sql/<schema>`, depending on what its SQL reads; `log_keys` are the assets
    that stand for a log."""
    return [
        dg.AssetSpec(
            asset_key(found.full_name),
            deps=sorted({key for read in _inputs(found) for key in log_keys.get(read, [asset_key(read)])}),
            description=found.description,
            group_name=schema,
            kinds=kinds,
            owners=OWNERS,
            metadata={"dagster/column_schema": column_schema(TABLES[found.full_name]), "sql": found.file}
            | {tag: found.tags[tag] for tag in ("grain", "key") if tag in found.tags},
        )
        for found in relations(schema)
    ]


def _inputs(found: Relation) -> set[str]:
    """The tables and logs that a relation reads, seen through what is no asset: staging, forms and `this`."""
    inputs: set[str] = set()
    for read in found.reads:
        if read.startswith("staging."):
            inputs |= _inputs(relation(read))
        elif read in TABLES or read.startswith("log."):
            inputs.add(read)
    return inputs


def column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                column.meaning,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def built_results(
    built: Mapping[str, Built], checks: Mapping[str, list[dg.AssetCheckResult]]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """One result a table, with its rows and bytes and whether it had to be made."""
    for full_name, entry in built.items():
        yield dg.MaterializeResult(
            asset_key=asset_key(full_name),
            metadata=table_metadata(entry.table) | {"made_anew": entry.is_new},
            check_results=checks.get(full_name, []),
        )


def table_metadata(table: TableFile) -> dict[str, dg.MetadataValue]:
    return {
        "dagster/row_count": dg.MetadataValue.int(table.rows),
        "bytes": dg.MetadataValue.int(table.bytes),
        "file": dg.MetadataValue.text(table.file),
    }

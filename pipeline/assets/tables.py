"""What the assets of tables share: their specs, made from the SQL files and declared columns, and their results."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from pipeline.checks import asset_key
from pipeline.lake.build import Built
from pipeline.lake.refresh import Refresh
from pipeline.lake.relations import Relation, relation, relations
from pipeline.lake.snapshots import TableFile
from pipeline.model.tables import TABLES, Table

OWNERS = ["team:newsledger"]
PREVIEW_ROWS = 10
PREVIEW_CHARACTERS = 60


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
    refresh: Refresh, built: Mapping[str, Built], checks: Mapping[str, list[dg.AssetCheckResult]]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """One result a table, with its rows and bytes, its first rows and whether it had to be made."""
    for full_name, entry in built.items():
        yield dg.MaterializeResult(
            asset_key=asset_key(full_name),
            metadata={
                **table_metadata(entry.table),
                "made_anew": entry.is_new,
                "preview": dg.MetadataValue.md(preview(refresh.snapshots.path(entry.table))),
            },
            check_results=checks.get(full_name, []),
        )


def table_metadata(table: TableFile) -> dict[str, dg.MetadataValue]:
    return {
        "dagster/row_count": dg.MetadataValue.int(table.rows),
        "bytes": dg.MetadataValue.int(table.bytes),
        "file": dg.MetadataValue.text(table.file),
    }


def preview(file: Path) -> str:
    """The first rows of a Parquet file as a Markdown table, each value cut short: events are kept for years."""
    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names
        batch = next(parquet.iter_batches(batch_size=PREVIEW_ROWS), None)
    rows = [] if batch is None else batch.to_pylist()
    lines = [names, ["---"] * len(names), *([_cell(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)[: 4 * PREVIEW_CHARACTERS]
    text = textwrap.shorten(text, PREVIEW_CHARACTERS, placeholder="…")
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")

"""What the assets of tables share: their specs, made from the SQL files and declared columns, and their results."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.assets.lineage import Column, column_lineage, column_origins
from pipeline.assets.source_code import python_reference, sql_reference
from pipeline.checks import asset_key
from pipeline.lake.build import Built
from pipeline.lake.logs import Log
from pipeline.lake.refresh import Refresh
from pipeline.lake.relations import Relation, relation, relations
from pipeline.lake.snapshots import TableFile
from pipeline.model import logs
from pipeline.model.logs import REFRESHES, duckdb_type
from pipeline.model.tables import TABLES, Table
from pipeline.previews import markdown_table
from pipeline.settings import Schedule

OWNERS = ["team:newsledger"]
PREVIEW_ROWS = 10
ORIGINS_SHOWN = 4


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
            metadata={
                "dagster/column_schema": column_schema(TABLES[found.full_name]),
                "dagster/column_lineage": column_lineage(found.full_name, log_keys),
                "dagster/table_name": found.full_name,
                "sql": found.file,
            }
            | sql_reference(found)
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
    """The columns, each with what it means and where it comes from: Dagster's own page shows no lineage of columns."""
    origins = column_origins(table.full_name)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                _meaning(column.meaning, origins.get(column.name, ())),
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def _meaning(meaning: str, origins: Iterable[Column]) -> str:
    named = [f"`{table}.{column}`" for table, column in sorted(origins)]
    if not named:
        return meaning
    more = f" and {len(named) - ORIGINS_SHOWN} more" if len(named) > ORIGINS_SHOWN else ""
    return f"{meaning} ← {', '.join(named[:ORIGINS_SHOWN])}{more}"


def log_schema(log: pa.Schema) -> dg.TableSchema:
    """The columns of a log, as DuckDB reads them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                duckdb_type(field.type),
                field.metadata[b"comment"].decode(),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in log
        ]
    )


def refreshes_log() -> dg.AssetSpec:
    """The log that every step writes into: no step makes it, and a table that reads it waits for those steps."""
    return dg.AssetSpec(
        asset_key("log.refreshes"),
        description="The append-only log of refreshes: what each started with, read, counted, swept and published.",
        group_name="ops",
        kinds={"deltalake"},
        owners=OWNERS,
        metadata={"dagster/column_schema": log_schema(REFRESHES)} | python_reference(logs),
    )


def log_size(log: Log) -> dict[str, int]:
    """How the log grows, whoever wrote into it."""
    return dict(zip(("log_rows", "log_bytes"), log.size(), strict=True))


def freshness(schedule: Schedule) -> dg.FreshnessPolicy:
    """What is overdue on the morning after a night that made nothing of it."""
    overdue = timedelta(hours=schedule.stale_after_hours)
    return dg.FreshnessPolicy.time_window(fail_window=overdue, warn_window=overdue * 0.75)


def built_results(
    refresh: Refresh, built: Mapping[str, Built], checks: Mapping[str, list[dg.AssetCheckResult]]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """One result a table, with its rows and bytes, its first rows and whether it had to be made."""
    for full_name, entry in built.items():
        yield dg.MaterializeResult(
            asset_key=asset_key(full_name),
            metadata={
                **table_metadata(entry.table, refresh.snapshots.store.place),
                "made_anew": entry.is_new,
                "preview": dg.MetadataValue.md(preview(refresh.snapshots.path(entry.table))),
            },
            check_results=checks.get(full_name, []),
        )


def table_metadata(table: TableFile, place: str) -> dict[str, dg.MetadataValue]:
    return {
        "dagster/row_count": dg.MetadataValue.int(table.rows),
        "bytes": dg.MetadataValue.int(table.bytes),
        "file": dg.MetadataValue.text(f"{place}/{table.file}"),
    }


def preview(file: Path) -> str:
    """The first rows of a Parquet file as a Markdown table."""
    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names
        batch = next(parquet.iter_batches(batch_size=PREVIEW_ROWS), None)
    rows = [] if batch is None else batch.to_pylist()
    return markdown_table(names, rows)

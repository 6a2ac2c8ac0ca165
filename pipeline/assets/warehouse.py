"""The warehouse file, the HTML report made from it, and, last of all, publication."""

from pathlib import Path

import dagster as dg

from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS
from pipeline.checks import asset_key
from pipeline.lake.refresh import Refresh
from pipeline.model.tables import TABLES
from pipeline.report import write_report
from pipeline.warehouse import build_warehouse, publish_warehouse
from pipeline.warehouse.building import BUILDING

FILE_KEY = dg.AssetKey(["warehouse", "file"])
REPORT_KEY = dg.AssetKey(["warehouse", "report"])
PUBLISHED_KEY = dg.AssetKey(["warehouse", "published"])


def _built_file(refresh: Refresh) -> Path:
    return refresh.settings.data_dir / "warehouse" / f"{refresh.refresh_id}.duckdb{BUILDING}"


@dg.asset(
    key=FILE_KEY,
    deps=[asset_key(full_name) for full_name in TABLES if full_name != "ops.catalog"],
    group_name="warehouse",
    kinds={"duckdb"},
    owners=OWNERS,
    description="A new DuckDB file with every table, commented and counted; not yet what readers open.",
    required_resource_keys={"refresh"},
)
def warehouse_file(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    refresh = refresh_of(context)
    staged = refresh.snapshots.staged()
    tables = {name: (table, refresh.snapshots.path(table)) for name, table in staged.tables.items() if name in TABLES}
    built = build_warehouse(_built_file(refresh).parent, refresh.refresh_id, tables, refresh.settings.warehouse)
    return dg.MaterializeResult(metadata={"bytes": built.stat().st_size, "tables": len(tables)})


@dg.asset(
    key=REPORT_KEY,
    deps=[FILE_KEY],
    group_name="warehouse",
    kinds={"html"},
    owners=OWNERS,
    description="The page that everyone else opens in the morning, made from the new file.",
    required_resource_keys={"refresh"},
)
def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    refresh = refresh_of(context)
    page = write_report(_built_file(refresh), refresh.settings.report_dir)
    return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(page), "bytes": page.stat().st_size})


@dg.asset(
    key=PUBLISHED_KEY,
    deps=[FILE_KEY, REPORT_KEY],
    group_name="warehouse",
    kinds={"duckdb"},
    owners=OWNERS,
    description="What readers open: the symlink names the new file from now on, the snapshot's pointer the new tables.",
    required_resource_keys={"refresh"},
)
def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    refresh = refresh_of(context)
    settings = refresh.settings
    file = publish_warehouse(_built_file(refresh), settings.warehouse_file, settings.warehouse.keep)
    refresh.snapshots.publish(settings.lake.keep_snapshots)
    refresh.record("published", warehouse=file.name)
    return dg.MaterializeResult(
        metadata={"file": dg.MetadataValue.path(file), "link": dg.MetadataValue.path(settings.warehouse_file)}
    )

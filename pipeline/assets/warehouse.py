"""The warehouse file, the HTML report made from it, and, last of all, publication."""

from pathlib import Path

import dagster as dg

from pipeline.assets.coverage import coverage_builder
from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS, freshness, log_size
from pipeline.checks import asset_key, blocks, checks_on, run_checks
from pipeline.errors import WarehouseError
from pipeline.lake.refresh import Refresh
from pipeline.model.tables import TABLES
from pipeline.report import write_report
from pipeline.settings import Settings
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
    require_good_tables(refresh)
    staged = refresh.snapshots.staged()
    tables = {name: (table, refresh.snapshots.paths(table)) for name, table in staged.tables.items() if name in TABLES}
    built = build_warehouse(_built_file(refresh).parent, refresh.refresh_id, tables, refresh.settings.warehouse)
    return dg.MaterializeResult(metadata={"bytes": built.stat().st_size, "tables": len(tables)})


def require_good_tables(refresh: Refresh) -> None:
    """Refuse what an earlier run left unfinished or what its blocking checks refused: a person may start a run from
    here on. Raises WarehouseError."""
    missing = TABLES.keys() - refresh.snapshots.staged().tables.keys() - {"ops.catalog"}
    if missing:
        raise WarehouseError(f"{', '.join(sorted(missing))}: not made yet; run the whole job refresh")
    with refresh.session() as session:
        modelled = session.value(
            "select count(*) from log.refreshes where event = 'modelled' and refresh_id = ?", [refresh.refresh_id]
        )
        if modelled:
            return  # in this run, so its checks have spoken
        blocking = [check for schema in ("coverage", "links") for check in checks_on(schema) if blocks(check)]
        for table, results in run_checks(coverage_builder(refresh, session), blocking).items():
            for result in results:
                if not result.passed:
                    raise WarehouseError(f"{table}: {result.description} ({result.check_name}); nothing is published")


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


def published_asset(settings: Settings) -> dg.AssetsDefinition:
    """Publication, after which the warehouse is fresh."""

    @dg.asset(
        key=PUBLISHED_KEY,
        deps=[FILE_KEY, REPORT_KEY],
        group_name="warehouse",
        kinds={"duckdb"},
        owners=OWNERS,
        description="What readers open: the symlink names the new file from now on, the snapshot's pointer the new"
        " tables.",
        freshness_policy=freshness(settings.schedule),
        required_resource_keys={"refresh"},
    )
    def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        file = publish_warehouse(_built_file(refresh), settings.warehouse_file, settings.warehouse.keep)
        refresh.snapshots.publish(settings.lake.keep_snapshots)
        refresh.record("published", warehouse=file.name)
        for log in refresh.logs:
            log.compact()
        context.log_event(
            dg.AssetMaterialization(asset_key("log.refreshes"), metadata=log_size(refresh.logs.refreshes))
        )
        return dg.MaterializeResult(
            metadata={"file": dg.MetadataValue.path(file), "link": dg.MetadataValue.path(settings.warehouse_file)}
        )

    return published

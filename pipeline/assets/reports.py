"""The marts that answer common questions, and what each refresh did."""

from collections.abc import Iterator

import dagster as dg

from pipeline.assets.documents import document_key
from pipeline.assets.links import SWEEP_KEY
from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import built_results, table_specs
from pipeline.checks import check_specs, checks_on, run_checks
from pipeline.settings import Settings


def reports_assets(settings: Settings) -> dg.AssetsDefinition:
    """Every table of the schemas `reports` and `ops`, as one step."""
    documents = [document_key(source.name) for source in settings.sources]
    logs = {"log.documents": documents, "log.link_checks": [SWEEP_KEY], "log.refreshes": [*documents, SWEEP_KEY]}

    @dg.multi_asset(
        name="reports",
        specs=[*table_specs("reports", {"duckdb", "parquet"}, logs), *table_specs("ops", {"duckdb", "parquet"}, logs)],
        check_specs=check_specs("ops"),
        required_resource_keys={"refresh"},
    )
    def reports(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        with refresh.session() as session:
            builder = refresh.builder(session)
            for schema in ("reports", "ops"):
                built = builder.build(schema)
                yield from built_results(refresh, built, run_checks(builder, checks_on(schema)))

    return reports

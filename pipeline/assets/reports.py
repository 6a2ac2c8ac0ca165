"""The marts that answer common questions, and what each refresh did."""

from collections.abc import Iterable, Iterator

import dagster as dg

from pipeline.assets.documents import document_key
from pipeline.assets.links import SWEEP_KEY
from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import built_results, table_specs
from pipeline.checks import asset_key, check_specs, checks_on, run_checks
from pipeline.lake.build import Builder
from pipeline.lake.relations import tables_read
from pipeline.report.drawing import standing_alone, svg
from pipeline.report.pictures import PICTURES, Picture
from pipeline.settings import Settings

PICTURE_BYTES = 96_000
"""A larger picture is left out: events are kept for years."""


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
                built = builder.build(schema, checks_on(schema))
                results = built_results(refresh, built, run_checks(builder, checks_on(schema)))
                yield from _with_pictures(results, builder)

    return reports


def _with_pictures(
    results: Iterable[dg.MaterializeResult],  # type: ignore[type-arg]
    builder: Builder,
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """The results, with the pictures that the report shows of their tables."""
    for result in results:
        drawn = {
            picture.name: dg.MetadataValue.md(_drawn(picture, builder))
            for picture in PICTURES.values()
            if asset_key(picture.belongs_to) == result.asset_key
        }
        yield result._replace(metadata={**(result.metadata or {}), **drawn})


def _drawn(picture: Picture, builder: Builder) -> str:
    """Markdown of the picture, in the words of the report where there is nothing to see."""
    for read in sorted(tables_read(picture.statement)):
        builder.need(read)
    rows = builder.session.run(picture.statement)
    if len(rows) < max(picture.least, 1):
        return picture.empty or "Nothing to show yet."
    image = standing_alone(svg(picture.draw(rows)))
    if len(image) > PICTURE_BYTES:
        return f"Too large to be kept with every run ({len(image):,} bytes): the report shows it."
    return f"![{picture.title}]({image})\n\n{picture.title}. {picture.note(rows)}"

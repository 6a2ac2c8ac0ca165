"""The relational tables of the archive, made whole from the documents log."""

from collections.abc import Iterator

import dagster as dg

from pipeline.assets.documents import document_key
from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import built_results, table_specs
from pipeline.checks import check_specs, checks_on, run_checks
from pipeline.content import site_bases
from pipeline.coverage import input_providers, input_versions
from pipeline.lake.build import Builder
from pipeline.lake.refresh import Refresh
from pipeline.lake.session import Session
from pipeline.settings import Settings

_COUNT_MENTIONS = """
select
    coalesce(sum(1 + coalesce(list_count(related), 0)), 0)::bigint
from staging.accepted_documents
where is_story
"""


def coverage_assets(settings: Settings) -> dg.AssetsDefinition:
    """Every table of the schema `coverage`, as one step: half a refresh cannot be made by a click."""
    documents = [document_key(source.name) for source in settings.sources]

    @dg.multi_asset(
        name="coverage",
        specs=table_specs("coverage", {"duckdb", "parquet"}, {"log.documents": documents, "log.refreshes": documents}),
        check_specs=check_specs("coverage"),
        required_resource_keys={"refresh"},
    )
    def coverage(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        with refresh.session() as session:
            builder = coverage_builder(refresh, session)
            built = builder.build("coverage", checks_on("coverage"))
            builder.need("staging.accepted_documents")
            mentions_in = session.value(_COUNT_MENTIONS)
            refresh.record("modelled", mentions_in=mentions_in, mentions_out=built["coverage.mentions"].table.rows)
            yield from built_results(refresh, built, run_checks(builder, checks_on("coverage")))

    return coverage


def coverage_builder(refresh: Refresh, session: Session) -> Builder:
    """A builder that also has the forms of texts and URLs, which SQL cannot compute."""
    sites = site_bases(refresh.settings.sources, refresh.settings.copies_dir)
    return refresh.builder(session, input_versions(sites), input_providers(sites))

"""What Dagster loads: assembly only.

`build_definitions(settings, **resources)` is the one seam for tests; `defs` is made from the settings file that
`NEWSLEDGER_CONFIG` names.
"""

import dagster as dg

from pipeline.assets.coverage import coverage_assets
from pipeline.assets.documents import documents_asset
from pipeline.assets.links import links_assets
from pipeline.assets.reports import reports_assets
from pipeline.assets.resources import backfill_resource, refresh_resource
from pipeline.assets.source_code import with_code
from pipeline.assets.tables import refreshes_log
from pipeline.assets.warehouse import published_asset, report, warehouse_file
from pipeline.automation import (
    alert_on_failure,
    backfill_job,
    check_links_job,
    content_changes,
    nightly_refresh,
    old_runs,
    rebuild_job,
    refresh_job,
)
from pipeline.settings import Settings, load_settings


def build_definitions(settings: Settings, **resources: object) -> dg.Definitions:
    """All of Newsledger for these settings; `resources` replace those of the same name."""
    job = refresh_job()
    return dg.Definitions(
        assets=with_code(
            [
                *(documents_asset(source, settings) for source in settings.sources),
                coverage_assets(settings),
                links_assets(settings),
                reports_assets(settings),
                warehouse_file,
                report,
                published_asset(settings),
                refreshes_log(),
            ]
        ),
        resources={"refresh": refresh_resource(settings), "backfill": backfill_resource(settings)} | resources,
        jobs=[job, check_links_job(), rebuild_job(), backfill_job()],
        schedules=[nightly_refresh(job, settings.schedule)],
        sensors=[alert_on_failure(settings), content_changes(job, settings), old_runs(settings)],
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions for the settings file of this process."""
    return build_definitions(load_settings())

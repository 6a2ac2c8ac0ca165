"""The resources `refresh` and `backfill`: one for the whole run, whoever started it."""

import os
from collections.abc import Iterator
from typing import cast

import dagster as dg

from pipeline.lake.refresh import Refresh, begin_backfill, begin_refresh
from pipeline.settings import NOW_VARIABLE, Settings

_CONFIG = {
    "now": dg.Field(
        dg.Noneable(dg.StringSource),
        is_required=False,
        default_value=None,
        description=f"ISO time to run at, for rehearsals and tests; {NOW_VARIABLE} else the system's clock",
    )
}


def refresh_resource(settings: Settings) -> dg.ResourceDefinition:
    """Holds the lock from the first step to the last; fails the run at once where another refresh holds it."""

    @dg.resource(
        config_schema=_CONFIG,
        description="The refresh at work: its settings, id, clock, logs and snapshots, under the one lock.",
    )
    def refresh(context: dg.InitResourceContext) -> Iterator[Refresh]:
        with begin_refresh(settings, *_run(context)) as begun:
            yield begun

    return refresh


def backfill_resource(settings: Settings) -> dg.ResourceDefinition:
    """The same for a backfill, which takes the same lock and is no refresh."""

    @dg.resource(
        config_schema=_CONFIG, description="The backfill at work: its settings, id, clock and logs, under the one lock."
    )
    def backfill(context: dg.InitResourceContext) -> Iterator[Refresh]:
        with begin_backfill(settings, *_run(context)) as begun:
            yield begun

    return backfill


def _run(context: dg.InitResourceContext) -> tuple[str, str | None]:
    """Its id, and the time that it is to run at."""
    run_id = context.run.run_id if context.run else "unknown"
    return run_id, context.resource_config["now"] or os.environ.get(NOW_VARIABLE)


def refresh_of(context: dg.AssetExecutionContext) -> Refresh:
    """The refresh that this step belongs to."""
    return cast("Refresh", context.resources.refresh)

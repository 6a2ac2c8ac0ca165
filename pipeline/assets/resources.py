"""The resources `refresh` and `backfill`: one for the whole run, whoever started it."""

import os
from collections.abc import Iterator
from typing import cast

import dagster as dg

from pipeline.lake.refresh import Refresh, begin_backfill, begin_refresh
from pipeline.settings import NOW_VARIABLE, Settings

_NOW = {
    "now": dg.Field(
        dg.Noneable(dg.StringSource),
        is_required=False,
        default_value=None,
        description=f"ISO time to run at, for rehearsals and tests; {NOW_VARIABLE} else the system's clock",
    )
}


_ASKING = {
    "ask_links": dg.Field(
        bool,
        is_required=False,
        default_value=True,
        description="Whether links are asked in this run; if not, their states follow from what was observed before",
    )
}


def refresh_resource(settings: Settings) -> dg.ResourceDefinition:
    """Holds the lock from the first step to the last; fails the run at once where another refresh holds it."""

    @dg.resource(
        config_schema=_NOW | _ASKING,
        description="The refresh at work: its settings, id, clock, logs and snapshots, under the one lock.",
    )
    def refresh(context: dg.InitResourceContext) -> Iterator[Refresh]:
        asking = settings if context.resource_config["ask_links"] else settings.without_asking()
        with begin_refresh(asking, *_run(context)) as begun:
            yield begun

    return refresh


def backfill_resource(settings: Settings) -> dg.ResourceDefinition:
    """The same for a backfill, which takes the same lock and is no refresh."""

    @dg.resource(
        config_schema=_NOW, description="The backfill at work: its settings, id, clock and logs, under the one lock."
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

"""The `refresh` resource: one refresh for the whole run, whoever started it."""

import os
from collections.abc import Iterator
from typing import cast

import dagster as dg

from pipeline.lake.refresh import Refresh, begin_refresh
from pipeline.settings import NOW_VARIABLE, Settings


def refresh_resource(settings: Settings) -> dg.ResourceDefinition:
    """Holds the lock from the first step to the last; fails the run at once where another refresh holds it."""

    @dg.resource(
        config_schema={
            "now": dg.Field(
                dg.Noneable(dg.StringSource),
                is_required=False,
                default_value=None,
                description=f"ISO time to run at, for rehearsals and tests; {NOW_VARIABLE} else the system's clock",
            )
        },
        description="The refresh at work: its settings, id, clock, logs and snapshots, under the one lock.",
    )
    def refresh(context: dg.InitResourceContext) -> Iterator[Refresh]:
        run_id = context.run.run_id if context.run else "unknown"
        now = context.resource_config["now"] or os.environ.get(NOW_VARIABLE)
        with begin_refresh(settings, run_id, now) as begun:
            yield begun

    return refresh


def refresh_of(context: dg.AssetExecutionContext) -> Refresh:
    """The refresh that this step belongs to."""
    return cast("Refresh", context.resources.refresh)

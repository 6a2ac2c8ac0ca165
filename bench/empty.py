"""Dagster's own empty run of the same shape: the steps, assets and checks of the refresh, and nothing in them.

Loaded by Dagster as a code location of its own, on the settings that `NEWSLEDGER_CONFIG` names.
"""

from collections.abc import Iterator

import dagster as dg

from pipeline.automation import nightly_refresh, refresh_job
from pipeline.definitions import build_definitions
from pipeline.settings import load_settings


def empty_like(step: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """A step that makes the same assets, evaluates the same checks and does nothing."""
    checks = [*step.check_specs]

    @dg.multi_asset(
        name=step.node_def.name,
        specs=[dg.AssetSpec(spec.key, deps=[dep.asset_key for dep in spec.deps]) for spec in step.specs],
        check_specs=[dg.AssetCheckSpec(check.name, asset=check.asset_key, blocking=check.blocking) for check in checks],
    )
    def empty() -> Iterator[dg.MaterializeResult[None]]:
        for spec in step.specs:
            yield dg.MaterializeResult(
                asset_key=spec.key,
                check_results=[
                    dg.AssetCheckResult(passed=True, asset_key=spec.key, check_name=check.name)
                    for check in checks
                    if check.asset_key == spec.key
                ],
            )

    return empty


@dg.definitions
def defs() -> dg.Definitions:
    settings = load_settings()
    job = refresh_job()
    steps = build_definitions(settings).resolve_asset_graph().assets_defs
    return dg.Definitions(
        assets=[empty_like(step) for step in steps if step.is_executable],
        jobs=[job],
        schedules=[nightly_refresh(job, settings.schedule)],
        executor=dg.in_process_executor,
    )

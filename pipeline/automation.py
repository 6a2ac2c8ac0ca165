"""Jobs and schedules: what runs, when, and under which tags."""

from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline.assets.backfill import take_in_history
from pipeline.settings import Schedule

REFRESH_JOB = "refresh"
BACKFILL_JOB = "backfill_history"
NIGHTLY_SCHEDULE = "nightly_refresh"


def refresh_job() -> UnresolvedAssetJobDefinition:
    """Everything, in one process: a step of its own costs seconds, and the heavy work fans out inside the step."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="Read the archives, check the links that are due, rebuild what changed and publish.",
        executor_def=dg.in_process_executor,
        tags={"newsledger/kind": "refresh"},
    )


def backfill_job() -> dg.JobDefinition:
    """The history of one git source, which the launchpad or the command line names."""

    @dg.job(
        name=BACKFILL_JOB,
        description="Take the history of a git source into the documents log; the next refresh shows it in the tables.",
        executor_def=dg.in_process_executor,
        tags={"newsledger/kind": "backfill"},
    )
    def backfill_history() -> None:
        take_in_history()

    return backfill_history


def nightly_refresh(job: UnresolvedAssetJobDefinition, schedule: Schedule) -> dg.ScheduleDefinition:
    """The refresh, every night; the run key keeps a night from being run twice."""

    @dg.schedule(
        name=NIGHTLY_SCHEDULE,
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        description="Every night: read the archives, check the links that are due, rebuild what changed and publish.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        night = context.scheduled_execution_time.astimezone(ZoneInfo(schedule.timezone)).date().isoformat()
        return dg.RunRequest(run_key=night, tags={"newsledger/night": night})

    return nightly

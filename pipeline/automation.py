"""Jobs, schedules and sensors: what runs, when, and under which tags."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipeline.alerts import tell
from pipeline.assets.backfill import take_in_history
from pipeline.content import standing
from pipeline.errors import SourceError
from pipeline.runs import KIND_TAG, ended_since, fail_lost_runs, forget_old_runs, is_ours
from pipeline.settings import Schedule, Settings
from pipeline.webhook import webhook_url

REFRESH_JOB = "refresh"
CHECK_LINKS_JOB = "check_links"
REBUILD_JOB = "rebuild_warehouse"
BACKFILL_JOB = "backfill_history"
NIGHTLY_SCHEDULE = "nightly_refresh"
ALERT_SENSOR = "alert_on_failure"
FORGET_SENSOR = "forget_old_runs"
CHANGE_SENSOR = "content_changes"
RUNS_A_TICK = 50
_FIRST_LOOK = timedelta(hours=1)


def refresh_job() -> UnresolvedAssetJobDefinition:
    """Everything, in one process: a step of its own costs seconds, and the heavy work fans out inside the step."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="Read the archives, check the links that are due, rebuild what changed and publish.",
        executor_def=dg.in_process_executor,
        tags={KIND_TAG: "refresh"},
    )


def check_links_job() -> UnresolvedAssetJobDefinition:
    """The links alone, and all that shows them; what the links step can be limited to stands in its config."""
    return dg.define_asset_job(
        CHECK_LINKS_JOB,
        selection=dg.AssetSelection.groups("links", "reports", "ops", "warehouse"),
        description="Check the links that are due and publish; no content is read. The step links has its own config.",
        executor_def=dg.in_process_executor,
        tags={KIND_TAG: "check_links"},
    )


def rebuild_job() -> UnresolvedAssetJobDefinition:
    """All that is derived from the logs, anew where its rules changed."""
    return dg.define_asset_job(
        REBUILD_JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.key_prefixes("documents"),
        config={"resources": {"refresh": {"config": {"ask_links": False}}}},
        description="Derive every table from the logs and publish, as after a change of a rule in sql/. No content is"
        " read, no link is asked.",
        executor_def=dg.in_process_executor,
        tags={KIND_TAG: "rebuild"},
    )


def backfill_job() -> dg.JobDefinition:
    """The history of one git source, which the launchpad or the command line names."""

    @dg.job(
        name=BACKFILL_JOB,
        description="Take the history of a git source into the documents log; the next refresh shows it in the tables.",
        executor_def=dg.in_process_executor,
        tags={KIND_TAG: "backfill"},
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


def alert_on_failure(settings: Settings) -> dg.SensorDefinition:
    """Tells the webhook of every run of ours that failed, and of every failed check of severity ERROR. A plain sensor
    and no run-failure sensor: that one hears neither of checks in runs that went well nor of runs of the command line,
    and forgets a run whose message could not be sent."""

    @dg.sensor(
        name=ALERT_SENSOR,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the webhook of failed runs and failed checks, each once, whoever started the run; calls runs"
        " failed whose process is gone.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        fail_lost_runs(context.instance, settings)
        if webhook_url(settings.alerts) is None:
            return dg.SkipReason(f"{settings.alerts.webhook_env} names no webhook: nobody is told")
        since = datetime.fromisoformat(context.cursor) if context.cursor else datetime.now(UTC) - _FIRST_LOOK
        ended = ended_since(context.instance, since, RUNS_A_TICK)
        told = sum(tell(context.instance, run, settings) for _, run in ended if is_ours(run))
        context.update_cursor((ended[-1][0] if ended else since).isoformat())
        return dg.SkipReason(f"{len(ended)} runs ended, {told} told")

    return sensor


def content_changes(job: UnresolvedAssetJobDefinition, settings: Settings) -> dg.SensorDefinition:
    """Off until someone switches it on: a newsroom that wants its tables within minutes of a commit."""

    @dg.sensor(
        name=CHANGE_SENSOR,
        job=job,
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Refreshes when a source looks otherwise than before: a branch by its commit, other sources by the"
        " names, sizes and times of their files.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        changes, before = json.loads(context.cursor) if context.cursor else (0, {})
        now, unknown = dict(before), []
        for source in settings.sources:
            try:
                now[source.name] = standing(source, settings.copies_dir)
            except SourceError as error:
                unknown.append(str(error))
        changed = sorted(name for name in now if name in before and now[name] != before[name])
        context.update_cursor(json.dumps([changes + bool(changed), now]))
        if changed:
            seen = sha256(json.dumps(now).encode()).hexdigest()[:16]
            return dg.RunRequest(f"content-{changes}-{seen}", tags={"newsledger/changed": ", ".join(changed)})
        return dg.SkipReason(
            "; ".join(unknown) or ("nothing changed" if before else "a first look: nothing to compare")
        )

    return sensor


def old_runs(settings: Settings) -> dg.SensorDefinition:
    """Keeps Dagster's storage bounded: it keeps every run for ever by itself."""

    @dg.sensor(
        name=FORGET_SENSOR,
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Deletes the runs that are older than schedule.runs_kept_days.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        before = datetime.now(UTC) - timedelta(days=settings.schedule.runs_kept_days)
        return dg.SkipReason(f"{forget_old_runs(context.instance, before, RUNS_A_TICK)} runs forgotten")

    return sensor

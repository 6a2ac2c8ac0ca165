"""Run a Dagster job in this process, on the instance that the UI shows."""

import logging
from collections.abc import Mapping
from uuid import uuid4

import dagster as dg

from pipeline.alerts import tell
from pipeline.assets.backfill import BACKFILL_OP
from pipeline.automation import BACKFILL_JOB, REFRESH_JOB
from pipeline.definitions import build_definitions
from pipeline.errors import AlertError, NewsledgerError
from pipeline.runs import STARTED_BY_TAG, fail_lost_runs, files_kept_open
from pipeline.settings import Settings

LOGGER = logging.getLogger("newsledger.alerts")


def run_refresh(settings: Settings, now: str | None) -> str:
    """Run the job `refresh` to its end; the id of Dagster's run.

    Raises the NewsledgerError that stopped it, or one that names the run and its failed steps.
    """
    return _run(settings, REFRESH_JOB, {"resources": {"refresh": {"config": {"now": now}}}}).run_id


def run_backfill(settings: Settings, source: str, since: str | None, now: str | None) -> dict[str, int]:
    """Run the job `backfill_history` to its end; its counts, as the UI shows them. Raises as `run_refresh` does."""
    config = {
        "resources": {"backfill": {"config": {"now": now}}},
        "ops": {BACKFILL_OP: {"config": {"source": source, "since": since}}},
    }
    [done] = _run(settings, BACKFILL_JOB, config).filter_events(lambda event: event.is_successful_output)
    return {name: int(str(value.value)) for name, value in done.step_output_data.metadata.items()}


def _run(settings: Settings, job_name: str, config: Mapping[str, object]) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def(job_name)
    run_id = str(uuid4())
    with dg.DagsterInstance.get() as instance, files_kept_open(instance, run_id):
        fail_lost_runs(instance, settings)
        try:
            return job.execute_in_process(
                instance=instance,
                run_id=run_id,
                raise_on_error=True,
                run_config={**config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags={STARTED_BY_TAG: "cli"},
            )
        except Exception as error:
            raise _cause(error) from error
        finally:
            _tell(instance, run_id, settings)


def _tell(instance: dg.DagsterInstance, run_id: str, settings: Settings) -> None:
    """Tell of a failure at once: no daemon may be there to do it. Where that fails, the daemon's sensor tries again."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.is_finished:
        try:
            tell(instance, run, settings)
        except (AlertError, OSError) as error:
            LOGGER.warning("the failure of run %s could not be told: %s", run_id, error)


def _cause(error: BaseException) -> BaseException:
    """The error of ours behind Dagster's wrapping, or the error itself. Such chains can run in a circle."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, NewsledgerError):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return error

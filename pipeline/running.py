"""Run a Dagster job in this process, on the instance that the UI shows."""

from collections.abc import Mapping

import dagster as dg

from pipeline.assets.backfill import BACKFILL_OP
from pipeline.automation import BACKFILL_JOB, REFRESH_JOB
from pipeline.definitions import build_definitions
from pipeline.errors import NewsledgerError
from pipeline.settings import Settings


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
    with dg.DagsterInstance.get() as instance:
        try:
            return job.execute_in_process(
                instance=instance,
                raise_on_error=True,
                run_config={**config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags={"newsledger/started_by": "cli"},
            )
        except Exception as error:
            raise _cause(error) from error


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

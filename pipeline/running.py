"""Run the Dagster job `refresh` in this process, on the instance that the UI shows."""

import dagster as dg

from pipeline.automation import REFRESH_JOB
from pipeline.definitions import build_definitions
from pipeline.errors import NewsledgerError
from pipeline.settings import Settings


def run_refresh(settings: Settings, now: str | None) -> str:
    """Run it to its end; the id of Dagster's run.

    Raises the NewsledgerError that stopped it, or one that names the run and its failed steps.
    """
    job = build_definitions(settings).resolve_job_def(REFRESH_JOB)
    with dg.DagsterInstance.get() as instance:
        try:
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=True,
                run_config={
                    "resources": {"refresh": {"config": {"now": now}}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                tags={"newsledger/started_by": "cli"},
            )
        except Exception as error:
            raise _cause(error) from error
    return result.run_id


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

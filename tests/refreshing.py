"""A whole refresh without a process around it: the job itself, on an instance of Dagster that is kept in memory."""

import dagster as dg

from pipeline.definitions import build_definitions
from pipeline.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def refresh(settings: Settings, now: str | None = None) -> None:
    """Run the job `refresh` to its end, which must be a good one."""
    job = build_definitions(settings).resolve_job_def("refresh")
    config = QUIET | {"resources": {"refresh": {"config": {"now": now}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(instance=instance, run_config=config)

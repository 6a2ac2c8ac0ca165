"""Failures of runs, told once to the webhook, whoever started the run and whoever tells it.

Both the sensor of the daemon and the command line tell: the first hears of every run, the second needs no daemon. A
file for each run, locked while one of them tells and marked when it has, keeps the other from telling it again.
"""

import fcntl
import os
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipeline.runs import STARTED_BY_TAG
from pipeline.settings import Settings
from pipeline.webhook import post, webhook_url, without_secrets

_LINES = 12
_LINE_CHARACTERS = 400
_KEPT_DAYS = 100
"""Longer than Dagster keeps the ticks of a sensor: no run is told again after that."""


def failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """What went wrong in a run that has ended: the steps that failed and the failed checks of severity ERROR."""
    told = []
    if run.status == dg.DagsterRunStatus.FAILURE:
        failed = instance.all_logs(run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE})
        told += [f"step {entry.step_key}: {_cause(entry.dagster_event)}" for entry in failed]
        if not told:
            ended = instance.all_logs(run.run_id, of_type={dg.DagsterEventType.RUN_FAILURE})
            told += [_cause(entry.dagster_event) or "the run failed" for entry in ended] or ["the run failed"]
    for entry in instance.all_logs(run.run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION}):
        assert entry.dagster_event is not None
        check = entry.dagster_event.asset_check_evaluation_data
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            rows = check.metadata.get("offenders")
            counted = f" ({rows.value} rows)" if rows is not None else ""
            told.append(f"check {check.check_name} on {check.asset_key.to_user_string()}: {check.description}{counted}")
    return told


def tell(instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings) -> bool:
    """Tell what went wrong in the run, unless it was told; whether a message was sent. Raises AlertError."""
    url = webhook_url(settings.alerts)
    if url is None:
        return False
    told = failures(instance, run)
    if not told:
        return False
    with _claimed(settings.data_dir / "alerts", run.run_id) as mark:
        if mark.read_text("utf-8"):
            return False
        post(url, _message(run, told))
        mark.write_text(datetime.now(UTC).isoformat(timespec="seconds"), "utf-8")
    return True


def _cause(event: dg.DagsterEvent | None) -> str:
    """The innermost words of a failure."""
    error = getattr(event and event.event_specific_data, "error", None)
    if error is None:
        return (event.message if event else None) or ""
    while error.cause is not None:
        error = error.cause
    return str(error.message).strip()


def _message(run: dg.DagsterRun, told: list[str]) -> str:
    by = run.tags.get(STARTED_BY_TAG) or ("schedule" if "dagster/schedule_name" in run.tags else "ui")
    failed = run.status == dg.DagsterRunStatus.FAILURE
    what = f"the run {run.job_name} failed" if failed else f"checks failed in the run {run.job_name}"
    lines = [f"Newsledger: {what} ({run.run_id}, started by {by})"]
    lines += [f"• {line}" for line in told[:_LINES]]
    if len(told) > _LINES:
        lines.append(f"… and {len(told) - _LINES} more")
    shown = [textwrap.shorten(without_secrets(line), _LINE_CHARACTERS, placeholder=" …") for line in lines]
    return "\n".join(shown).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@contextmanager
def _claimed(folder: Path, run_id: str) -> Iterator[Path]:
    """The file of a run, held while it is told; the kernel gives it back if the teller dies."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - _KEPT_DAYS * 86_400:
            old.unlink(missing_ok=True)
    mark = folder / run_id
    descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield mark
    finally:
        os.close(descriptor)

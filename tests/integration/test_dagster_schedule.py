"""The scheduler's own loop, at times that the test sets, on an instance that launches processes."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.load_target import ModuleTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

ROOT = Path(__file__).parents[2]
AT_ONCE = {"run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}}
LOGGER = logging.getLogger("scheduler of a test")


def _june(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def test_a_night_is_run_once_however_often_the_scheduler_looks(
    write_settings: Callable[..., Path], sample_site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At half past two in Auckland it is half past two in the afternoon of the day before, in UTC."""
    config = write_settings(sample_site, schedule={"cron": "30 2 * * *", "timezone": "Pacific/Auckland"})
    monkeypatch.setenv("NEWSLEDGER_CONFIG", str(config))
    target = ModuleTarget("pipeline.definitions", None, str(ROOT), "newsledger")
    home = tmp_path / "dagster"
    home.mkdir()
    with (
        dg.instance_for_test(AT_ONCE, temp_dir=str(home)) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        location = workspace.create_request_context().get_code_location("newsledger")
        with freeze_time(_june(29, 15, 0)):
            instance.start_schedule(location.get_repository("__repository__").get_schedule("nightly_refresh"))
        for now in (_june(30, 14, 29), _june(30, 14, 31), _june(30, 14, 32), _june(30, 20, 0)):
            with freeze_time(now):
                assert not [error for error in launch_scheduled_runs(workspace, LOGGER, now, {}) if error]
        (run,) = instance.get_runs()
        assert run.tags["newsledger/night"] == run.tags["dagster/run_key"] == "2026-07-01"

        deadline = time.monotonic() + 60
        while run is not None and not run.is_finished:
            assert time.monotonic() < deadline, run.status
            time.sleep(0.2)
            run = instance.get_run_by_id(run.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert instance.get_latest_materialization_event(dg.AssetKey(["warehouse", "published"])) is not None

"""Failures reach the webhook once, whoever started the run and whoever tells; runs without a process are called so."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline import runs
from pipeline.cli import prepare_dagster_home
from pipeline.definitions import build_definitions
from pipeline.errors import SourceError
from pipeline.lake.lock import hold_lock
from pipeline.running import run_refresh
from pipeline.runs import forget_old_runs
from pipeline.settings import Settings
from tests.webhooks import SECRET_PATH, Webhook, serve_webhook


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with serve_webhook() as served:
        monkeypatch.setenv("NEWSLEDGER_WEBHOOK", served.url)
        yield served


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance that the UI, the daemon and the command line share."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    prepare_dagster_home(settings)
    with dg.DagsterInstance.get() as shared:
        yield shared


@pytest.fixture
def settings(settings_for: Callable[..., Settings], sample_site: Path) -> Settings:
    return settings_for(sample_site)


def _tick(settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None) -> str | None:
    """One look of the daemon's sensor; its new cursor."""
    sensor = build_definitions(settings).get_repository_def().get_sensor_def("alert_on_failure")
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return sensor.evaluate_tick(context).cursor


def _refresh_in_the_ui(settings: Settings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = build_definitions(settings).resolve_job_def("refresh")
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)


def test_a_run_that_failed_is_told_once_by_the_command_line_and_the_daemon(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook, sample_site: Path
) -> None:
    sample_site.rename(sample_site.with_name("elsewhere"))
    with pytest.raises(SourceError):
        run_refresh(settings, None)
    assert len(hook.texts) == 1, "no daemon was needed"
    assert "Newsledger: the run refresh failed" in hook.texts[0]
    assert "started by cli" in hook.texts[0]
    assert "step documents__sample" in hook.texts[0]
    assert f"{sample_site}: no such folder" in hook.texts[0]

    cursor = _tick(settings, instance)
    _tick(settings, instance, cursor)
    _tick(settings, instance)
    assert len(hook.texts) == 1


def test_the_daemon_tells_of_a_run_that_nobody_told_of(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook, sample_site: Path
) -> None:
    sample_site.rename(sample_site.with_name("elsewhere"))
    failed = _refresh_in_the_ui(settings, instance)
    cursor = _tick(settings, instance)
    assert [failed.run_id in text for text in hook.texts] == [True]
    assert "started by ui" in hook.texts[0]
    _tick(settings, instance, cursor)
    assert len(hook.texts) == 1


def test_failed_checks_of_a_run_that_went_well_are_told(
    settings_for: Callable[..., Settings],
    sample_site: Path,
    hook: Webhook,
    tmp_path: Path,
) -> None:
    """The sweep failed, which holds nothing back; warnings alone are no alarm."""
    web = tmp_path / "web.yaml"
    web.write_text("hosts: [this is no table of answers", "utf-8")
    failing = settings_for(sample_site, links={"rehearsal": str(web)})
    with dg.DagsterInstance.ephemeral() as instance:
        assert _refresh_in_the_ui(failing, instance).success
        _tick(failing, instance)
        _tick(failing, instance)
    assert len(hook.texts) == 1
    assert "checks failed in the run refresh" in hook.texts[0]
    assert "check sweep_completed on log/link_checks" in hook.texts[0]
    assert "providers_have_one_name" not in hook.texts[0]


def test_what_could_not_be_told_is_told_at_the_next_look(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook, sample_site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sample_site.rename(sample_site.with_name("elsewhere"))
    hook.answers = [404]
    with pytest.raises(SourceError):
        run_refresh(settings, None)
    assert hook.texts == []
    assert "could not be told: the webhook at 127.0.0.1 refused the message (status 404)" in caplog.text
    assert SECRET_PATH not in caplog.text
    _tick(settings, instance)
    assert len(hook.texts) == 1


def test_a_good_run_is_no_news_and_no_webhook_no_matter(
    settings: Settings, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = build_definitions(settings).get_repository_def().get_sensor_def("alert_on_failure")
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        assert _refresh_in_the_ui(settings, instance).success
        _tick(settings, instance)
        assert hook.asked == []
        monkeypatch.delenv("NEWSLEDGER_WEBHOOK")
        assert "NEWSLEDGER_WEBHOOK names no webhook" in (sensor.evaluate_tick(context).skip_message or "")


def test_a_killed_refresh_leaves_nothing_locked_and_is_told(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its run would stay STARTED for ever and hold back the queue."""
    environment = os.environ | {"NEWSLEDGER_CONFIG": str(tmp_path / "newsledger.yaml")}
    killed = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "refresh"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (settings.lock_file.exists() and settings.lock_file.read_text("utf-8")):
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    [run] = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    with hold_lock(settings.lock_file, "a test"):
        pass

    _tick(settings, instance)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED, "it may only just be starting"
    monkeypatch.setattr(runs, "_STARTING", timedelta(0))
    monkeypatch.setattr(runs, "_ENDING_SECONDS", 0)
    with hold_lock(settings.lock_file, f"run {run.run_id}"):
        _tick(settings, instance)
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED, "it is at work"
    cursor = _tick(settings, instance)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
    _tick(settings, instance, cursor)
    assert ["process of this run is gone" in text for text in hook.texts] == [True]


def test_two_refreshes_at_once_through_different_ways(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook, tmp_path: Path
) -> None:
    """One of the command line and one as the UI runs it: one of them publishes, the other says who holds the lock."""
    environment = os.environ | {"NEWSLEDGER_CONFIG": str(tmp_path / "newsledger.yaml")}
    other = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "refresh"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not settings.lock_file.exists():
        time.sleep(0.005)
        assert other.poll() is None
    ours = _refresh_in_the_ui(settings, instance)
    told = other.communicate(timeout=100)[1]
    assert sorted([ours.success, other.returncode == 0]) == [False, True], told
    _tick(settings, instance)
    assert len(hook.texts) == 1
    assert "another refresh is running" in hook.texts[0]
    finished = [run.status for run in instance.get_runs()]
    assert sorted(status.value for status in finished) == ["FAILURE", "SUCCESS"]


def test_content_that_changes_asks_for_one_run(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    missing = sample_site.with_name("not-there-yet")
    sources = [{"name": "north", "path": str(sample_site)}, {"name": "south", "path": str(missing)}]
    repository = build_definitions(settings_for(sample_site, sources=sources)).get_repository_def()
    sensor = repository.get_sensor_def("content_changes")
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED

    def look(cursor: str | None) -> tuple[list[dg.RunRequest], str | None, str | None]:
        with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance, cursor) as context:
            seen = sensor.evaluate_tick(context)
            return list(seen.run_requests or ()), seen.skip_message, seen.cursor

    asked, why, cursor = look(None)
    assert not asked
    assert f"{missing}: no such folder" in (why or "")
    assert look(cursor)[0] == []
    file = next((sample_site / "_news").glob("*.md"))
    text = file.read_text("utf-8")
    keys = []
    for content in (text + "\nmore\n", text):  # and back again: that is a change too
        file.write_text(content, "utf-8")
        [request], _, after = look(cursor)
        assert [look(cursor)[0][0].run_key] == [request.run_key], "a tick that is repeated asks for the same run"
        assert request.tags["newsledger/changed"] == "north"
        keys.append(request.run_key)
        assert look(after)[0] == []
        cursor = after
    assert len(set(keys)) == 2
    assert json.loads(cursor or "")[0] == 2


def test_old_runs_are_forgotten_and_runs_of_others_are_not(settings: Settings) -> None:
    @dg.job
    def of_somebody_else() -> None:
        pass

    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(settings).resolve_job_def("refresh")
        for run in (instance.create_run_for_job(job, tags=job.tags), instance.create_run_for_job(of_somebody_else)):
            instance.report_run_failed(run)
        sensor = build_definitions(settings).get_repository_def().get_sensor_def("forget_old_runs")
        with dg.build_sensor_context(instance=instance) as context:
            assert sensor.evaluate_tick(context).skip_message == "0 runs forgotten"
        assert forget_old_runs(instance, datetime.now(UTC) + timedelta(hours=1), 10) == 1
        assert [run.job_name for run in instance.get_runs()] == ["of_somebody_else"]

"""What production stands on: Dagster's storage in a real PostgreSQL, and units that systemd takes."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.instance import InstanceRef

from pipeline.cli import prepare_dagster_home
from pipeline.definitions import build_definitions
from pipeline.doctor import Grade, examine
from pipeline.errors import NewsledgerError, SourceError
from pipeline.running import run_refresh
from pipeline.settings import Settings, load_settings
from tests.webhooks import serve_webhook

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
PASSWORD = "only-in-the-environment"
PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a cluster of its own on loopback, run by a user without rights."""
    if PROGRAMS is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    folder = Path(tempfile.mkdtemp(prefix="newsledger-postgres-", dir="/tmp"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "password").write_text(PASSWORD, "utf-8")
    os.chown(folder, user, -1)
    os.chown(folder / "password", user, -1)

    def run(program: str, *arguments: str) -> None:
        command = [str(PROGRAMS / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "-U", "newsledger", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-N", "-E", "UTF8")
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k '' -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://newsledger:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_runs_are_kept_in_postgres_and_alarms_told_from_there(
    postgres: str, settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(sample_site)
    monkeypatch.setenv("NEWSLEDGER_POSTGRES_URL", postgres)
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_dagster_home(settings)
    with serve_webhook() as hook, dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage).__module__.startswith("dagster_postgres")
        run_refresh(settings, None)
        sample_site.rename(sample_site.with_name("elsewhere"))
        with pytest.raises(SourceError):
            run_refresh(settings, None)
        assert [run.status.value for run in instance.get_runs()] == ["FAILURE", "SUCCESS"]
        rows = instance.get_latest_materialization_event(dg.AssetKey(["coverage", "stories"]))
        assert rows.asset_materialization.metadata["dagster/row_count"].value == 37

        monkeypatch.setenv("NEWSLEDGER_WEBHOOK", hook.url)
        sensor = build_definitions(settings).get_repository_def().get_sensor_def("alert_on_failure")
        with dg.build_sensor_context(instance=instance) as context:
            cursor = sensor.evaluate_tick(context).cursor
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            sensor.evaluate_tick(context)
        assert ["the run refresh failed" in text for text in hook.texts] == [True]
    written = [file for file in settings.data_dir.rglob("*") if file.is_file()]
    assert not [file for file in written if PASSWORD.encode() in file.read_bytes()]
    assert not [*settings.dagster_home.rglob("*.db")]


def test_the_variable_alone_chooses_the_storage(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(sample_site)
    monkeypatch.setenv("DAGSTER_HOME", "")
    file = prepare_dagster_home(settings) / "dagster.yaml"
    assert "storage" not in yaml.safe_load(file.read_text("utf-8"))
    monkeypatch.setenv("NEWSLEDGER_POSTGRES_URL", f"postgresql://n:{PASSWORD}@127.0.0.1:1/x")
    with pytest.raises(NewsledgerError, match=r"storage cannot be opened.*newsledger doctor") as caught:
        prepare_dagster_home(settings)
    assert PASSWORD not in str(caught.value)
    kept = yaml.safe_load(file.read_text("utf-8"))
    assert kept["storage"] == {"postgres": {"postgres_url": {"env": "NEWSLEDGER_POSTGRES_URL"}}}
    assert kept["run_queue"] == {"max_concurrent_runs": 1}
    [broken] = [finding for finding in examine(settings) if finding.grade == Grade.ERROR]
    assert broken.what == "dagster home"
    assert PASSWORD not in broken.words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert len(UNITS) == 2
    program = Path(sys.executable).with_name("newsledger")
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert "/opt/newsledger/.venv/bin/newsledger" in text
        copy = tmp_path / unit.name
        copy.write_text(text.replace("/opt/newsledger/.venv/bin/newsledger", str(program)), "utf-8")
        verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
        assert (verified.returncode, verified.stderr) == (0, "")
    told = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            "--threshold=25",
            *(str(tmp_path / unit.name) for unit in UNITS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


def test_the_example_of_the_environment_names_variables_that_are_read(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / "deploy" / "environment.example").read_text("utf-8").splitlines()
    named = dict(line.removeprefix("#").split("=", 1) for line in lines if "=" in line)
    assert {"NEWSLEDGER_CONFIG", "NEWSLEDGER_DATA_DIR", "NEWSLEDGER_WEBHOOK", "NEWSLEDGER_POSTGRES_URL"} <= named.keys()
    monkeypatch.setenv("NEWSLEDGER_DATA_DIR", named["NEWSLEDGER_DATA_DIR"])
    settings = settings_for(sample_site)
    assert str(settings.data_dir) == "/var/lib/newsledger"
    assert settings.alerts.webhook_env in named


@pytest.mark.timeout(110)
def test_both_services_start_on_one_home_and_end_when_they_are_told(
    write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    own = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    command = [sys.executable, "-m", "pipeline.cli", "serve"]
    services = [
        subprocess.Popen([*command, *part, "--config", str(config)], env=own, start_new_session=True, cwd=ROOT)
        for part in (["daemon"], ["webserver", "--port", port])
    ]
    try:
        home = load_settings(config).dagster_home
        alive = False
        while not alive:
            assert [service.poll() for service in services] == [None, None]
            time.sleep(0.5)
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                alive = (home / "dagster.yaml").exists() and _beats(home)
    finally:
        for service in services:
            os.killpg(service.pid, signal.SIGTERM)
        for service in services:
            service.wait(30)


def _beats(home: Path) -> bool:
    """Whether every daemon has looked in."""
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as instance:
        return {"SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR"} <= instance.get_daemon_heartbeats().keys()

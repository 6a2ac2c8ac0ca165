"""The Dagster UI as a person starts it: `dagster dev`, a run launched from it, the schedule switched on."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import load_settings
from pipeline.warehouse import query, read_file

ROOT = Path(__file__).parents[2]
PLACE = {"repositoryName": "__repository__", "repositoryLocationName": "newsledger"}

LAUNCH = """
mutation ($where: JobOrPipelineSelector!) {
  launchPipelineExecution(executionParams: {selector: $where, mode: "default", runConfigData: {}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
ASSETS = "{ assetNodes { assetKey { path } assetMaterializations(limit: 1) { runId } } }"
START_SCHEDULE = """
mutation ($where: ScheduleSelector!) {
  startSchedule(scheduleSelector: $where) {
    __typename
    ... on ScheduleStateResult { scheduleState { status } }
    ... on PythonError { message }
  }
}
"""


@dataclass(frozen=True)
class Ui:
    """A running UI."""

    config: Path
    port: int

    def ask(self, question: str, **variables: object) -> Any:
        body = json.dumps({"query": question, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]


@pytest.fixture
def ui(write_settings: Callable[..., Path], sample_site: Path, tmp_path: Path) -> Iterator[Ui]:
    """`dagster dev` on the shipped workspace, in a process group that ends with the test."""
    links = {"rehearsal": str(ROOT / "seeds" / "web.yaml"), "pace_seconds": 0.02, "timeout_seconds": 3}
    config = write_settings(sample_site, links=links)
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "ui.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)],
            cwd=ROOT,
            env=os.environ
            | {"DAGSTER_HOME": str(home), "NEWSLEDGER_CONFIG": str(config), "DAGSTER_DISABLE_TELEMETRY": "1"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        served = Ui(config, port)
        try:
            _wait_for(served, process, tmp_path / "ui.log")
            yield served
        finally:
            _end(process)


def _wait_for(ui: Ui, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ui.ask("{ version }")
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt it as Ctrl-C does; kill what is left of its group."""
    os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


@pytest.mark.timeout(110)
def test_a_refresh_launched_from_the_ui_publishes_and_the_schedule_starts(ui: Ui) -> None:
    launched = ui.ask(LAUNCH, where=PLACE | {"pipelineName": "refresh"})["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]

    started = ui.ask(START_SCHEDULE, where=PLACE | {"scheduleName": "nightly_refresh"})["startSchedule"]
    assert started == {"__typename": "ScheduleStateResult", "scheduleState": {"status": "RUNNING"}}

    while (status := ui.ask(STATUS, run=run)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE", "CANCELED"):
        time.sleep(0.3)
    assert status == "SUCCESS"

    settings = load_settings(ui.config)
    last = query(
        read_file(settings.warehouse_file), "select run_id, outcome, urls_due, urls_checked from ops.refreshes"
    )
    assert [(row["run_id"], row["outcome"]) for row in last.to_pylist()] == [(run, "published")]
    assert last["urls_checked"][0].as_py() > 0
    assets = ui.ask(ASSETS)["assetNodes"]
    assert len(assets) > 25
    unmade = [asset["assetKey"]["path"] for asset in assets if not asset["assetMaterializations"]]
    assert unmade == []

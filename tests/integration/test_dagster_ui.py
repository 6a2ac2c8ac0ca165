"""The Dagster UI as a person starts and uses it: one `newsledger ui` for all tests, a refresh launched in a browser.

UPDATE_IMAGES=1 writes the screenshots of the docs anew.
"""

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
import yaml
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from pipeline.settings import load_settings
from pipeline.warehouse import query, read_file

ROOT = Path(__file__).parents[2]
SEED_SITE = ROOT / "seeds" / "site"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DESK: ViewportSize = {"width": 1280, "height": 800}
PLACE = {"repositoryName": "__repository__", "repositoryLocationName": "newsledger"}

RUNS = "{ runsOrError { ... on Runs { results { runId } } } }"
METADATA = "query ($assetKeys: [AssetKeyInput!]) { assetNodes(assetKeys: $assetKeys) { metadataEntries { label } } }"
RELOAD = 'mutation { reloadRepositoryLocation(repositoryLocationName: "newsledger") { __typename } }'
CONFIG = """
query ($where: PipelineSelector!) {
  runConfigSchemaOrError(selector: $where) {
    ... on RunConfigSchema { allConfigTypes { ... on CompositeConfigType { fields { name description } } } }
  }
}
"""
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


def browses(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs a browser."""
    needed = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; set CHROMIUM")
    return pytest.mark.browser(needed(test))


@dataclass(frozen=True)
class Ui:
    """A running UI."""

    config: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, question: str, **variables: object) -> Any:
        body = json.dumps({"query": question, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]


@dataclass(frozen=True)
class Refreshed:
    """A run that went well, and what its page said."""

    run_id: str
    seen: str


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`newsledger ui` on a copy of the sample, in a process group that ends with the tests of this module."""
    folder = tmp_path_factory.mktemp("ui")
    settings = {
        "data_dir": "data",
        "sources": [{"name": "coastal-energy", "path": str(shutil.copytree(SEED_SITE, folder / "site"))}],
        "links": {"rehearsal": str(ROOT / "seeds" / "web.yaml"), "pace_seconds": 0.02, "timeout_seconds": 3},
        "executor": {"kind": "serial"},
    }
    config = folder / "newsledger.yaml"
    config.write_text(yaml.safe_dump(settings), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipeline.cli", "ui", "--config", str(config), "--port", str(port)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLEDGER_")}
    with (folder / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log, start_new_session=True)
        served = Ui(config, port)
        try:
            _wait_for(served, process, folder / "ui.log")
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
        process.wait(6)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


@pytest.fixture(scope="module")
def refreshed(ui: Ui, browser: Browser) -> Refreshed:
    """A refresh that a person launched from the page of its job, and watched."""
    page = browser.new_page(viewport=DESK)
    page.goto(f"{ui.address}/locations/newsledger/jobs/refresh", timeout=60_000)
    page.get_by_role("button", name="Materialize all").click(timeout=60_000)
    while not (runs := ui.ask(RUNS)["runsOrError"]["results"]):
        time.sleep(0.3)
    run = runs[0]["runId"]
    page.goto(f"{ui.address}/runs/{run}", timeout=60_000)
    page.get_by_text("Success", exact=True).first.wait_for(timeout=90_000)
    seen = page.locator("body").inner_text()
    page.close()
    return Refreshed(run, seen)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(60_000)
    yield page
    page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def _picture(page: Page, name: str, folder: Path) -> None:
    """A screenshot; into the docs where UPDATE_IMAGES asks for it."""
    into = ROOT / "docs" / "images" if os.environ.get("UPDATE_IMAGES") else folder
    into.mkdir(exist_ok=True)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)  # until what moves stands still
    page.screenshot(path=into / f"dagster-{name}.png", animations="disabled")


@browses
@pytest.mark.timeout(200)
def test_a_refresh_launched_from_the_page_of_its_job_publishes(ui: Ui, refreshed: Refreshed) -> None:
    assert "RUN_SUCCESS" in refreshed.seen
    settings = load_settings(ui.config)
    last = query(read_file(settings.warehouse_file), "select run_id, outcome, urls_checked from ops.refreshes")
    [row] = last.to_pylist()
    assert (row["run_id"], row["outcome"]) == (refreshed.run_id, "published")
    assert row["urls_checked"] > 0
    assets = ui.ask(ASSETS)["assetNodes"]
    assert len(assets) > 25
    assert [asset["assetKey"]["path"] for asset in assets if not asset["assetMaterializations"]] == []


@browses
@pytest.mark.timeout(100)
def test_the_graph_shows_every_stage(ui: Ui, refreshed: Refreshed, page: Page, tmp_path: Path) -> None:
    page.goto(f"{ui.address}/asset-groups")
    for group in ("documents", "coverage", "links", "reports", "ops", "warehouse"):
        page.get_by_text(group, exact=True).first.wait_for()
    _picture(page, "graph", tmp_path)


@browses
@pytest.mark.timeout(100)
def test_the_page_of_a_table_shows_its_columns_rows_origin_and_code(
    ui: Ui, refreshed: Refreshed, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{ui.address}/assets/reports/dead_links")
    page.get_by_text("story_title", exact=True).wait_for()
    for told in ("Row count", "sql/reports/dead_links.sql", "coverage.stories.title", "link × place"):
        page.get_by_text(told).first.wait_for(state="attached")
    _picture(page, "asset", tmp_path)
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_role("dialog").get_by_text("fetch_url").first.wait_for()


@browses
@pytest.mark.timeout(100)
def test_a_check_that_failed_shows_the_rows_that_offend(
    ui: Ui, refreshed: Refreshed, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{ui.address}/assets/coverage/story_topics?view=checks")
    page.get_by_text("story_topics_are_defined").first.click()
    page.get_by_text("first_offenders").wait_for()
    _picture(page, "checks", tmp_path)
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_role("dialog").get_by_role("table").wait_for()


@browses
@pytest.mark.timeout(100)
def test_the_schedule_and_the_sensors_are_there_and_can_be_switched(
    ui: Ui, refreshed: Refreshed, page: Page, tmp_path: Path
) -> None:
    started = ui.ask(START_SCHEDULE, where=PLACE | {"scheduleName": "nightly_refresh"})["startSchedule"]
    assert started == {"__typename": "ScheduleStateResult", "scheduleState": {"status": "RUNNING"}}
    page.goto(f"{ui.address}/locations/newsledger/schedules/nightly_refresh")
    page.get_by_text("At 02:00 AM UTC").first.wait_for()
    page.get_by_text("Running", exact=True).wait_for()
    _picture(page, "schedule", tmp_path)
    page.goto(f"{ui.address}/automation")
    for name in ("alert_on_failure", "content_changes", "forget_old_runs", "nightly_refresh"):
        page.get_by_text(name, exact=True).first.wait_for()


@browses
@pytest.mark.timeout(100)
def test_the_launchpad_documents_what_a_run_can_be_told(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.address}/locations/newsledger/jobs/refresh/playground")
    page.get_by_text("ask_links").first.wait_for()
    page.get_by_text("No errors").first.wait_for()
    fields = ui.ask(CONFIG, where=PLACE | {"pipelineName": "refresh"})["runConfigSchemaOrError"]["allConfigTypes"]
    told = {field["name"]: field["description"] for kind in fields for field in kind.get("fields", [])}
    assert "0 believes" in told["min_files_share"]
    assert "ISO time" in told["now"]


@pytest.mark.timeout(100)
def test_definitions_keep_their_metadata_when_they_are_reloaded(ui: Ui) -> None:
    asked = {"assetKeys": [{"path": ["reports", "dead_links"]}]}
    before = ui.ask(METADATA, **asked)["assetNodes"]
    assert ui.ask(RELOAD)["reloadRepositoryLocation"]["__typename"] == "WorkspaceLocationEntry"
    assert ui.ask(METADATA, **asked)["assetNodes"] == before
    labels = {entry["label"] for entry in before[0]["metadataEntries"]}
    assert {"dagster/column_schema", "dagster/column_lineage", "dagster/code_references", "sql", "grain"} <= labels

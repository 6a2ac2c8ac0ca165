"""The sample site and its web: what `make run` shows is what seeds/web.yaml says."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline.model.urls import url_forms
from pipeline.rehearsal import load_web
from pipeline.settings import load_settings
from pipeline.warehouse import query, read_file
from tests.refreshing import refresh

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "seeds" / "newsledger.yaml"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the sample after three nights: the first, the next, and the first strike's due date."""
    folder = tmp_path_factory.mktemp("sample")
    settings = load_settings(CONFIG).model_copy(update={"data_dir": folder})
    for night in ("2026-12-01", "2026-12-02", "2026-12-04"):
        refresh(settings, f"{night}T02:00:00Z")
    return read_file(folder / "warehouse.duckdb")


def test_every_link_of_the_sample_gets_the_verdict_that_its_web_means(warehouse: Path) -> None:
    rehearsal = load_settings(CONFIG).links.rehearsal
    assert rehearsal is not None
    hosts = load_web(rehearsal).hosts
    expected: Counter[tuple[str, str]] = Counter()
    wrong = []
    for row in query(
        warehouse,
        "select fetch_url, verdict from links.verdicts join coverage.urls using (url_id) where night = '2026-12-01'",
    ).to_pylist():
        scheme, _, rest = row["fetch_url"].partition("://")
        path = "/" + rest.partition("/")[2]
        host = hosts[url_forms(row["fetch_url"]).host]
        answer = host.paths.get(f"{scheme}:{path}") or host.paths.get(path)
        expect = (answer.expect if answer else None) or host.otherwise.expect or host.expect
        label = expect.verdict if expect else "alive"
        expected[label, row["verdict"]] += 1
        if label != row["verdict"]:
            wrong.append((row["fetch_url"], label, row["verdict"]))
    assert not wrong
    assert {label for label, _ in expected} == {
        "alive", "moved", "gone", "soft_404", "blocked", "insecure", "server_error", "unreachable"
    }  # fmt: skip


def test_only_what_is_due_is_asked_on_later_nights(warehouse: Path) -> None:
    nights = query(
        warehouse, "select night::varchar as night, urls_due, urls_checked from ops.refreshes order by night"
    ).to_pylist()
    failing = query(warehouse, "select count(*) as n from links.states where state = 'failing'").to_pylist()[0]["n"]
    assert [(row["urls_due"], row["urls_checked"]) for row in nights] == [(564, 564), (0, 0), (failing, failing)]


def test_no_link_dies_before_its_third_strike(warehouse: Path) -> None:
    states = query(warehouse, "select distinct state, strikes from links.states where strikes > 0").to_pylist()
    assert states == [{"state": "failing", "strikes": 2}]


def test_every_output_says_that_a_rehearsal_answered(warehouse: Path) -> None:
    assert query(warehouse, "select distinct rehearsal from ops.refreshes").to_pylist() == [{"rehearsal": True}]
    page = (warehouse.parent.parent / "report" / "index.html").read_text("utf-8")
    assert "A rehearsal web answered" in page


def test_the_links_of_the_sample_that_moved_are_mended_and_not_a_byte_else(warehouse: Path, tmp_path: Path) -> None:
    """The program writes into a copy of the site what git makes of its diff."""
    written, patched = (Path(shutil.copytree(ROOT / "seeds" / "site", tmp_path / name)) for name in ("ours", "git's"))
    fix = [sys.executable, "-m", "pipeline.cli", "links", "fix", "--config", str(CONFIG)]
    environment = os.environ | {
        "NEWSLEDGER_DATA_DIR": str(warehouse.parent.parent),
        "NEWSLEDGER_SOURCES": json.dumps([{"name": "coastal-energy", "path": str(written)}]),
    }
    proposed = subprocess.run(fix, env=environment, check=True, capture_output=True, timeout=100)
    applied = subprocess.run([*fix, "--apply"], env=environment, check=True, capture_output=True, timeout=100)
    assert applied.stdout == proposed.stdout
    subprocess.run(["git", "apply"], cwd=patched, input=proposed.stdout, check=True, capture_output=True)
    told = query(
        warehouse,
        "select path, raw, replacement from links.remedies join coverage.url_uses using (url_id)"
        " where rank = 1 and role not in ('body', 'amp', 'cdn_amp') order by all",
    ).to_pylist()
    assert len({row["path"] for row in told}) >= 5
    for file in sorted(patched.rglob("*.*")):
        path = file.relative_to(patched)
        content = (ROOT / "seeds" / "site" / path).read_bytes()
        for row in told:
            if row["path"] == str(path):
                content = content.replace(f'"{row["raw"]}"'.encode(), f'"{row["replacement"]}"'.encode())
        assert file.read_bytes() == (written / path).read_bytes() == content, path

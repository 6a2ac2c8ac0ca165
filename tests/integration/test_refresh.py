"""The whole refresh, on real files: through the command line where the process is what matters, as the job else."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import QueryError, RefreshBusyError, SourceError, WarehouseError
from pipeline.lake.lock import hold_lock
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file
from tests.conftest import ROOT, SEED_SITE
from tests.refreshing import refresh

FULL_DISK = """
import resource, sys
from pathlib import Path
import dagster
from pipeline.assets import documents, warehouse
from pipeline.cli import prepare_dagster_home
from pipeline.errors import NewsledgerError
from pipeline.running import run_refresh
from pipeline.settings import load_settings

settings = load_settings(Path(sys.argv[1]))
prepare_dagster_home(settings)

def on_a_full_disk(work, limit_kb):
    def refused(*arguments):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb * 1024, resource.RLIM_INFINITY))
        try:
            return work(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return refused

for module, stage, limit_kb in ((documents, "take_in", 8), (warehouse, "build_warehouse", 100)):
    work = getattr(module, stage)
    setattr(module, stage, on_a_full_disk(work, limit_kb))
    try:
        run_refresh(settings, None)
    except NewsledgerError as error:
        print(f"{stage}: {type(error).__name__}: {error}")
    setattr(module, stage, work)
"""
"""Refreshes in which one stage may write no file larger than so many KB: the kernel refuses, as on a full disk."""

WITHOUT = """
import sys
from pathlib import Path
from pipeline.settings import load_settings
from tests.refreshing import refresh

settings = load_settings(Path(sys.argv[1]))
for story in sys.argv[2:]:
    Path(story).unlink()
    refresh(settings)
"""
"""A refresh without the first of some files, one without the second too, and so on."""


def newsledger(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *map(str, arguments)],
        env=os.environ | {"COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def newsledger_here(*arguments: str | Path) -> str:
    """What the command line prints, in this process. Raises the error that it would tell."""
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, [*map(str, arguments)], catch_exceptions=False).stdout


@pytest.fixture(autouse=True)
def _no_home_of_dagster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that a command makes in this process is forgotten after the test."""
    monkeypatch.setenv("DAGSTER_HOME", "")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The sample after a refresh by the command line, for reading, and what it printed."""

    config: Path
    printed: str

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    folder = tmp_path_factory.mktemp("refreshed")
    config = folder / "newsledger.yaml"
    source = {"name": "sample", "path": str(SEED_SITE)}
    values = {"data_dir": "data", "sources": [source], "links": {"enabled": False}, "executor": {"kind": "serial"}}
    config.write_text(yaml.safe_dump(values), "utf-8")
    done = newsledger("refresh", "--config", config)
    assert done.returncode == 0, done.stderr
    return Refreshed(config, done.stdout)


def _rows(settings: Settings, sql: str) -> list[dict[str, object]]:
    return query(read_file(settings.warehouse_file), sql).to_pylist()


def _last_refresh(settings: Settings) -> dict[str, object]:
    return _rows(settings, "from ops.refreshes order by started_at desc limit 1")[0]


def test_a_refresh_loads_the_sample_and_the_next_finds_nothing_changed(
    refreshed: Refreshed, write_settings: Callable[..., Path]
) -> None:
    assert "93 changed, 3 rejected" in refreshed.printed
    assert _rows(refreshed.settings, "select count(*) as n from coverage.stories") == [{"n": 37}]

    config = write_settings(SEED_SITE)
    settings = load_settings(config)
    shutil.copytree(refreshed.settings.data_dir, settings.data_dir, symlinks=True)
    refresh(settings)
    assert "0 changed" in newsledger_here("status", "--config", config)
    last = _last_refresh(settings)
    assert (last["files_seen"], last["files_unchanged"], last["files_parsed"]) == (93, 93, 0)


def test_a_rollback_shows_the_refresh_before_until_the_next_one(
    write_settings: Callable[..., Path], tmp_path: Path
) -> None:
    """The warehouse and the report; not while another holds the lock, nor where there is none before."""
    site = tmp_path / "site"
    (site / "_news").mkdir(parents=True)
    (site / "_news" / "a.md").write_text("---\ntitle: The first\n---\n")
    config = write_settings(site)
    settings = load_settings(config)
    titles = "select title from coverage.stories order by title"
    refresh(settings, "2026-01-01T02:00:00Z")
    with pytest.raises(WarehouseError, match="no warehouse published before it"):
        newsledger_here("rollback", "-c", config)

    (site / "_news" / "b.md").write_text("---\ntitle: The second\n---\n")
    refresh(settings, "2026-01-02T02:00:00Z")
    with hold_lock(settings.lock_file, "a refresh"), pytest.raises(RefreshBusyError, match="a refresh"):
        newsledger_here("rollback", "-c", config)
    assert len(_rows(settings, titles)) == 2

    back = newsledger("rollback", "-c", config)
    assert back.returncode == 0, back.stderr
    assert "names 20260101T" in back.stdout
    assert "no longer 20260102T" in back.stdout
    assert _rows(settings, titles) == [{"title": "The first"}]
    assert 'Night of <time datetime="2026-01-01">' in (settings.report_dir / "index.html").read_text("utf-8")

    refresh(settings, "2026-01-03T02:00:00Z")
    assert len(_rows(settings, titles)) == 2


def test_only_what_changed_is_appended_and_history_keeps_the_rest(begun_sample: Settings, sample_site: Path) -> None:
    settings = begun_sample
    news = sorted((sample_site / "_news").glob("*.md"))
    good = [file for file in news if b"\nheat: " in file.read_bytes()]
    changed, touched, vanished = good[0], good[1], good[2]
    kept_bytes = vanished.read_bytes()

    changed.write_bytes(changed.read_bytes().replace(b"\nquality: ", b"\nquality: 1", 1))
    text = touched.read_bytes()
    touched.write_bytes(text[: text.index(b"secured:")] + b'secured: "other;other"\n---\n')
    vanished.unlink()
    refresh(settings, "2026-01-02T02:00:00Z")
    last = _last_refresh(settings)
    assert (last["files_accepted"], last["files_removed"], last["files_unchanged"]) == (1, 1, 91)
    assert {(row["path"], row["change"]) for row in _rows(settings, "from reports.changed_in_last_refresh")} == {
        (f"_news/{changed.name}", "changed"),
        (f"_news/{vanished.name}", "removed"),
    }

    vanished.write_bytes(kept_bytes)
    refresh(settings, "2026-01-03T02:00:00Z")
    assert _rows(settings, "select change from reports.changed_in_last_refresh") == [{"change": "restored"}]
    seen = _rows(
        settings,
        "select first_seen_at::date::varchar as first, last_seen_at::date::varchar as last, times_seen, is_current"
        f" from coverage.document_versions where path in ('_news/{changed.name}', '_news/{vanished.name}')"
        " order by all",
    )
    assert seen == [
        {"first": "2026-01-01", "last": "2026-01-01", "times_seen": 1, "is_current": False},
        {"first": "2026-01-01", "last": "2026-01-03", "times_seen": 2, "is_current": True},
        {"first": "2026-01-02", "last": "2026-01-03", "times_seen": 1, "is_current": True},
    ]


def test_a_file_that_turns_bad_keeps_its_last_good_story_marked_stale(
    begun_sample: Settings, sample_site: Path
) -> None:
    settings = begun_sample
    story = _rows(settings, "select path, story_id from coverage.stories order by path limit 1")[0]
    file = sample_site / str(story["path"])
    file.write_bytes(file.read_bytes().replace(b"title: ", b"title: [", 1))
    refresh(settings)
    assert _rows(settings, f"select is_stale from coverage.stories where story_id = '{story['story_id']}'") == [
        {"is_stale": True}
    ]
    issue = _rows(settings, f"from coverage.document_issues where path = '{story['path']}'")[0]
    assert issue["severity"] == "error"
    assert issue["line"] is not None


def test_a_missing_folder_is_named_and_the_last_warehouse_stays(
    begun_sample: Settings, sample_site: Path, tmp_path: Path
) -> None:
    published = read_file(begun_sample.warehouse_file)
    shutil.move(sample_site, sample_site.with_name("elsewhere"))
    failed = newsledger("refresh", "-c", tmp_path / "newsledger.yaml")
    assert failed.returncode == 1
    assert str(sample_site) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert read_file(begun_sample.warehouse_file) == published


def test_a_source_that_lost_most_of_its_files_is_not_believed(
    begun_sample: Settings, settings_for: Callable[..., Settings], sample_site: Path, tmp_path: Path
) -> None:
    published = read_file(begun_sample.warehouse_file)
    shutil.rmtree(sample_site / "_news")
    shutil.rmtree(sample_site / "_data" / "topics")
    with pytest.raises(SourceError, match="min_files_share"):
        newsledger_here("refresh", "-c", tmp_path / "newsledger.yaml")
    assert read_file(begun_sample.warehouse_file) == published
    believing = settings_for(sample_site, sanity={"min_files_share": 0})
    refresh(believing)
    assert int(str(_last_refresh(believing)["files_removed"])) > 40


def test_an_unknown_setting_stops_before_anything_is_written(
    write_settings: Callable[..., Path], sample_site: Path, tmp_path: Path
) -> None:
    failed = newsledger("refresh", "-c", write_settings(sample_site, linx={}))
    assert failed.returncode == 1
    assert "unknown setting linx" in failed.stderr
    assert not (tmp_path / "data").exists()


def test_a_second_refresh_at_the_same_time_says_who_is_at_work(
    write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    held = hold_lock(load_settings(config).lock_file, "run of a test")
    with held, pytest.raises(RefreshBusyError, match=f"run of a test, process {os.getpid()}"):
        newsledger_here("refresh", "-c", config)


def test_a_full_disk_is_told_and_the_last_warehouse_stays(
    begun_sample: Settings, sample_site: Path, tmp_path: Path
) -> None:
    settings = begun_sample
    published = read_file(settings.warehouse_file)
    file = next((sample_site / "_news").glob("*.md"))
    file.write_bytes(file.read_bytes() + b"one more line\n")
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "newsledger.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    intake, build = done.stdout.splitlines()
    assert intake.startswith(f"take_in: LakeError: {settings.lake_dir}")
    assert build.startswith(f"build_warehouse: WarehouseError: {settings.data_dir}")
    assert read_file(settings.warehouse_file) == published
    refresh(settings)
    assert _rows(settings, "select count(*) as n from coverage.documents") == [{"n": 93}]


@pytest.mark.timeout(200)  # of a busy machine
def test_a_reader_in_a_loop_never_sees_half_a_refresh(
    begun_sample: Settings, sample_site: Path, tmp_path: Path
) -> None:
    """The refreshes are made by another process."""
    settings = begun_sample
    stop = threading.Event()
    seen: list[tuple[object, ...]] = []
    errors: list[BaseException] = []

    def read() -> None:
        statement = """
            select (select max(refresh_id) from ops.refreshes), (select count(*) from coverage.stories),
                (select count(distinct story_id) from coverage.mentions)
        """
        while not stop.is_set():
            try:
                seen.append(tuple(query(read_file(settings.warehouse_file), statement).to_pylist()[0].values()))
            except BaseException as error:  # noqa: BLE001 (whatever it is, the test must show it)
                errors.append(error)
            time.sleep(0.02)  # two cores are shared with who refreshes

    reader = threading.Thread(target=read)
    reader.start()
    try:
        stories = sorted((sample_site / "_news").glob("2024-0*.md"))[:3]
        command = [sys.executable, "-c", WITHOUT, str(tmp_path / "newsledger.yaml"), *map(str, stories)]
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=190, check=True)
    finally:
        stop.set()
        reader.join()
    assert not errors
    assert len({refresh_id for refresh_id, *_ in seen}) == 4, "the first and three more"
    assert all(stories == mentioned for _, stories, mentioned in seen)


def test_the_run_is_in_the_history_that_the_ui_shows(refreshed: Refreshed) -> None:
    settings = refreshed.settings
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        runs = instance.get_runs()
        assert [(run.job_name, run.status) for run in runs] == [("refresh", dg.DagsterRunStatus.SUCCESS)]
        assert (runs[0].tags["newsledger/kind"], runs[0].tags["newsledger/started_by"]) == ("refresh", "cli")
        assert runs[0].run_id == _last_refresh(settings)["run_id"]
        assert instance.get_latest_materialization_event(dg.AssetKey(["coverage", "stories"])) is not None


def test_sql_prints_what_was_asked(refreshed: Refreshed) -> None:
    statement = "select path, [1, 2] as list from coverage.stories order by path limit 2"
    csv = newsledger("sql", statement, "-c", refreshed.config, "-f", "csv")
    assert csv.returncode == 0, csv.stderr
    assert csv.stdout.startswith('"path","list"')
    printed = {
        form: newsledger_here("sql", statement, "-c", refreshed.config, "-f", form) for form in ("json", "table")
    }
    assert all("_news/" in text for text in (csv.stdout, *printed.values()))
    assert [row["list"] for row in json.loads(printed["json"])] == [[1, 2], [1, 2]]
    assert "2 rows" in printed["table"]

    wrong = newsledger("sql", "select nosuch from coverage.stories", "-c", refreshed.config)
    assert (wrong.returncode, "nosuch" in wrong.stderr, "Traceback" in wrong.stderr) == (1, True, False)
    with pytest.raises(QueryError, match="read-only"):
        newsledger_here("sql", "delete from coverage.stories", "-c", refreshed.config)

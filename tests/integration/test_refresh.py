"""The whole refresh, through the command line, on real files with a real Dagster instance."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.lake.lock import hold_lock
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file

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
limit = int(sys.argv[2]) * 1024
module, name = {"intake": (documents, "take_in"), "build": (warehouse, "build_warehouse")}[sys.argv[3]]
work = getattr(module, name)

def on_a_full_disk(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        return work(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

setattr(module, name, on_a_full_disk)
prepare_dagster_home(settings)
try:
    run_refresh(settings, None)
except NewsledgerError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
"""A refresh in which one stage may write no file larger than so many KB: the kernel refuses, as on a full disk."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def newsledger() -> Run:
    """Runs the command line in a process of its own."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *map(str, arguments)],
            env=os.environ | {"COLUMNS": "160"} | environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def _rows(settings: Settings, sql: str) -> list[dict[str, object]]:
    return query(read_file(settings.warehouse_file), sql).to_pylist()


def _last_refresh(settings: Settings) -> dict[str, object]:
    return _rows(settings, "from ops.refreshes order by started_at desc limit 1")[0]


def test_a_refresh_loads_the_sample_and_the_next_finds_nothing_changed(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    first = newsledger("refresh", "--config", config)
    assert first.returncode == 0, first.stderr
    assert "93 changed, 3 rejected" in first.stdout
    settings = load_settings(config)
    assert _rows(settings, "select count(*) as n from coverage.stories") == [{"n": 37}]

    second = newsledger("refresh", "--config", config)
    assert "0 changed" in second.stdout
    last = _last_refresh(settings)
    assert (last["files_seen"], last["files_unchanged"], last["files_parsed"]) == (93, 93, 0)


def test_a_rollback_shows_the_refresh_before_until_the_next_one(
    newsledger: Run, write_settings: Callable[..., Path], tmp_path: Path
) -> None:
    """The warehouse and the report; not while another holds the lock, nor where there is none before."""
    site = tmp_path / "site"
    (site / "_news").mkdir(parents=True)
    (site / "_news" / "a.md").write_text("---\ntitle: The first\n---\n")
    config = write_settings(site)
    settings = load_settings(config)
    titles = "select title from coverage.stories order by title"
    assert newsledger("refresh", "-c", config, "--now", "2026-01-01T02:00:00Z").returncode == 0
    nothing = newsledger("rollback", "-c", config)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "no warehouse published before it" in nothing.stderr

    (site / "_news" / "b.md").write_text("---\ntitle: The second\n---\n")
    assert newsledger("refresh", "-c", config, "--now", "2026-01-02T02:00:00Z").returncode == 0
    with hold_lock(settings.lock_file, "a refresh"):
        busy = newsledger("rollback", "-c", config)
    assert (busy.returncode, len(_rows(settings, titles))) == (1, 2)
    assert "a refresh" in busy.stderr

    back = newsledger("rollback", "-c", config)
    assert back.returncode == 0, back.stderr
    assert "names 20260101T" in back.stdout
    assert "no longer 20260102T" in back.stdout
    assert _rows(settings, titles) == [{"title": "The first"}]
    assert 'Night of <time datetime="2026-01-01">' in (settings.report_dir / "index.html").read_text("utf-8")

    assert newsledger("refresh", "-c", config, "--now", "2026-01-03T02:00:00Z").returncode == 0
    assert len(_rows(settings, titles)) == 2


def test_only_what_changed_is_appended_and_history_keeps_the_rest(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    settings = load_settings(config)
    news = sorted((sample_site / "_news").glob("*.md"))
    good = [file for file in news if b"\nheat: " in file.read_bytes()]
    changed, touched, vanished = good[0], good[1], good[2]
    kept_bytes = vanished.read_bytes()

    assert newsledger("refresh", "-c", config, "--now", "2026-01-01T02:00:00Z").returncode == 0
    changed.write_bytes(changed.read_bytes().replace(b"\nquality: ", b"\nquality: 1", 1))
    text = touched.read_bytes()
    touched.write_bytes(text[: text.index(b"secured:")] + b'secured: "other;other"\n---\n')
    vanished.unlink()
    assert newsledger("refresh", "-c", config, "--now", "2026-01-02T02:00:00Z").returncode == 0
    last = _last_refresh(settings)
    assert (last["files_accepted"], last["files_removed"], last["files_unchanged"]) == (1, 1, 91)
    assert {(row["path"], row["change"]) for row in _rows(settings, "from reports.changed_in_last_refresh")} == {
        (f"_news/{changed.name}", "changed"),
        (f"_news/{vanished.name}", "removed"),
    }

    vanished.write_bytes(kept_bytes)
    assert newsledger("refresh", "-c", config, "--now", "2026-01-03T02:00:00Z").returncode == 0
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
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    settings = load_settings(config)
    assert newsledger("refresh", "-c", config).returncode == 0
    story = _rows(settings, "select path, story_id from coverage.stories order by path limit 1")[0]
    file = sample_site / str(story["path"])
    file.write_bytes(file.read_bytes().replace(b"title: ", b"title: [", 1))
    assert newsledger("refresh", "-c", config).returncode == 0
    assert _rows(settings, f"select is_stale from coverage.stories where story_id = '{story['story_id']}'") == [
        {"is_stale": True}
    ]
    issue = _rows(settings, f"from coverage.document_issues where path = '{story['path']}'")[0]
    assert issue["severity"] == "error"
    assert issue["line"] is not None


def test_a_missing_folder_is_named_and_the_last_warehouse_stays(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    settings = load_settings(config)
    assert newsledger("refresh", "-c", config).returncode == 0
    published = read_file(settings.warehouse_file)
    shutil.move(sample_site, sample_site.with_name("elsewhere"))
    failed = newsledger("refresh", "-c", config)
    assert failed.returncode == 1
    assert str(sample_site) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert read_file(settings.warehouse_file) == published


def test_a_source_that_lost_most_of_its_files_is_not_believed(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    assert newsledger("refresh", "-c", config).returncode == 0
    shutil.rmtree(sample_site / "_news")
    shutil.rmtree(sample_site / "_data" / "topics")
    failed = newsledger("refresh", "-c", config)
    assert failed.returncode == 1
    assert "min_files_share" in failed.stderr
    told = newsledger("refresh", "-c", config, NEWSLEDGER_SANITY__MIN_FILES_SHARE="0")
    assert told.returncode == 0


def test_an_unknown_setting_stops_before_anything_is_written(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path, tmp_path: Path
) -> None:
    failed = newsledger("refresh", "-c", write_settings(sample_site, linx={}))
    assert failed.returncode == 1
    assert "unknown setting linx" in failed.stderr
    assert not (tmp_path / "data").exists()


def test_a_second_refresh_at_the_same_time_says_who_is_at_work(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    with hold_lock(load_settings(config).lock_file, "run of a test"):
        failed = newsledger("refresh", "-c", config)
    assert failed.returncode == 1
    assert f"run of a test, process {os.getpid()}" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_full_disk_is_told_and_the_last_warehouse_stays(
    write_settings: Callable[..., Path], newsledger: Run, sample_site: Path
) -> None:
    config = write_settings(sample_site)
    settings = load_settings(config)
    assert newsledger("refresh", "-c", config).returncode == 0
    published = read_file(settings.warehouse_file)
    file = next((sample_site / "_news").glob("*.md"))
    file.write_bytes(file.read_bytes() + b"one more line\n")
    for limit_kb, stage in (("8", "intake"), ("100", "build")):
        failed = subprocess.run(
            [
                sys.executable,
                "-c",
                FULL_DISK,
                str(config),
                limit_kb,
                stage,
            ],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert failed.returncode == 1, failed.stderr
        assert any(name in failed.stderr for name in ("LakeError: ", "WarehouseError: ")), failed.stderr
        assert str(settings.data_dir) in failed.stderr
        assert read_file(settings.warehouse_file) == published
    assert newsledger("refresh", "-c", config).returncode == 0
    assert _rows(settings, "select count(*) as n from coverage.documents") == [{"n": 93}]


def test_a_reader_in_a_loop_never_sees_half_a_refresh(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    config = write_settings(sample_site)
    settings = load_settings(config)
    assert newsledger("refresh", "-c", config).returncode == 0
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

    reader = threading.Thread(target=read)
    reader.start()
    stories = sorted((sample_site / "_news").glob("2024-0*.md"))
    for number in range(3):
        stories[number].unlink()
        assert newsledger("refresh", "-c", config).returncode == 0
    stop.set()
    reader.join()
    assert not errors
    assert len({refresh_id for refresh_id, *_ in seen}) == 4, "the first and three more"
    assert all(stories == mentioned for _, stories, mentioned in seen)


def test_the_run_is_in_the_history_that_the_ui_shows(
    newsledger: Run, write_settings: Callable[..., Path], sample_site: Path
) -> None:
    import dagster as dg

    config = write_settings(sample_site)
    assert newsledger("refresh", "-c", config).returncode == 0
    settings = load_settings(config)
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        runs = instance.get_runs()
        assert [(run.job_name, run.status) for run in runs] == [("refresh", dg.DagsterRunStatus.SUCCESS)]
        assert runs[0].run_id == _last_refresh(settings)["run_id"]
        assert instance.get_latest_materialization_event(dg.AssetKey(["coverage", "stories"])) is not None


def test_sql_prints_what_was_asked(newsledger: Run, write_settings: Callable[..., Path], sample_site: Path) -> None:
    config = write_settings(sample_site)
    assert newsledger("refresh", "-c", config).returncode == 0
    statement = "select path, [1, 2] as list from coverage.stories order by path limit 2"
    printed = {form: newsledger("sql", statement, "-c", config, "-f", form) for form in ("csv", "json", "table")}
    assert all(done.returncode == 0 and "_news/" in done.stdout for done in printed.values())
    assert printed["csv"].stdout.startswith('"path","list"')
    assert [row["list"] for row in json.loads(printed["json"].stdout)] == [[1, 2], [1, 2]]
    assert "2 rows" in printed["table"].stdout

    wrong = newsledger("sql", "select nosuch from coverage.stories", "-c", config)
    assert (wrong.returncode, "nosuch" in wrong.stderr, "Traceback" in wrong.stderr) == (1, True, False)
    writing = newsledger("sql", "delete from coverage.stories", "-c", config)
    assert (writing.returncode, "read-only" in writing.stderr) == (1, True)

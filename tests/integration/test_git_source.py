"""A git repository as a source of refreshes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.assets.documents import take_in
from pipeline.content import Counts, site_bases
from pipeline.content.intake import WORTH_WORKERS
from pipeline.definitions import build_definitions
from pipeline.errors import SourceError
from pipeline.lake.refresh import begin_refresh
from pipeline.model.urls import SiteBase
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file
from tests.refreshing import refresh
from tests.repositories import Origin

FILE = "---\ncategory: news\ntitle: One\nquality: 10\nheat: 10\n---\n"
SettingsFor = Callable[..., Settings]
TakeIn = Callable[[Settings], Counts]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin.made(tmp_path / "origin.git")


@pytest.fixture
def read() -> Iterator[TakeIn]:
    """Takes in the one source of the settings, each time in a refresh of its own."""
    numbers = iter(range(100))

    def once(settings: Settings) -> Counts:
        with begin_refresh(settings, f"run {next(numbers)}", None) as refresh:
            return take_in(refresh, settings.sources[0])

    return once


def _source(origin: Origin, **more: object) -> list[dict[str, object]]:
    return [{"name": "archive", "git": str(origin.folder)} | more]


def _rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with begin_refresh(settings, "looking", None) as refresh, refresh.session() as session:
        return session.run(sql)


def test_only_what_changed_is_read_and_each_row_names_its_commit(
    origin: Origin, settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    settings = settings_for(tmp_path, sources=_source(origin))
    first = origin.commit({"_news/a.md": FILE, "_news/b.md": FILE, "_news/c.md": FILE, "notes.txt": "no fence"})
    assert read(settings) == Counts(seen=4, accepted=3, skipped=1, parsed=4)
    assert read(settings) == Counts(seen=4, unchanged=4)
    second = origin.commit({"_news/a.md": FILE.replace("One", "Two"), "_news/b.md": None})
    assert read(settings) == Counts(seen=3, accepted=1, unchanged=2, removed=1, parsed=1)
    assert _rows(settings, 'select path, status, "commit" from log.documents order by seen_at, path') == [
        ("_news/a.md", "accepted", first),
        ("_news/b.md", "accepted", first),
        ("_news/c.md", "accepted", first),
        ("notes.txt", "skipped", first),
        ("_news/a.md", "accepted", second),
        ("_news/b.md", "removed", second),
    ]
    assert _rows(settings, "select \"commit\" from log.refreshes where event = 'read' order by happened_at") == [
        (first,),
        (first,),
        (second,),
    ]


def test_worker_processes_read_the_commit_of_the_refresh(
    origin: Origin, settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    files = WORTH_WORKERS + 50
    origin.commit({f"_news/{number}.md": FILE.replace("One", f"Story {number}") for number in range(files)})
    executor = {"kind": "processes", "workers": 2}
    settings = settings_for(tmp_path, sources=_source(origin), executor=executor)
    assert read(settings) == Counts(seen=files, accepted=files, parsed=files)
    assert _rows(settings, "select count(distinct semantic_sha256) from log.documents") == [(files,)]


def test_the_same_files_mean_the_same_from_a_folder_and_from_git(
    origin: Origin, settings_for: SettingsFor, sample_site: Path, tmp_path: Path, read: TakeIn
) -> None:
    files = [file for file in sample_site.rglob("*") if file.is_file()]
    origin.commit({str(file.relative_to(sample_site)): file.read_bytes() for file in files})
    folder = settings_for(sample_site, data_dir=str(tmp_path / "one"))
    git = settings_for(sample_site, data_dir=str(tmp_path / "two"), sources=_source(origin, name="sample"))
    assert read(folder) == read(git)
    same = 'select * exclude (seen_at, refresh_id, "commit") from log.documents order by path'
    assert _rows(folder, same) == _rows(git, same)
    assert site_bases(folder.sources, folder.copies_dir) == site_bases(git.sources, git.copies_dir)


def test_the_site_is_named_by_the_config_of_the_commit(
    origin: Origin, settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    settings = settings_for(tmp_path, sources=_source(origin))
    origin.commit({"_config.yml": "url: https://archive.example\nbaseurl: /news\n", "a.md": FILE})
    assert site_bases(settings.sources, settings.copies_dir) == {"archive": None}, "nothing was fetched yet"
    read(settings)
    assert site_bases(settings.sources, settings.copies_dir) == {
        "archive": SiteBase("https://archive.example", "/news")
    }


def test_a_branch_that_lost_most_of_its_files_is_not_believed(
    origin: Origin, settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    settings = settings_for(tmp_path, sources=_source(origin))
    origin.commit({f"{number}.md": FILE for number in range(10)})
    read(settings)
    origin.commits([(1_700_000_000, {"1.md": FILE})], anew=True)
    with pytest.raises(SourceError, match=r"origin\.git holds 1 files, but held 10"):
        read(settings)


def test_the_asset_tells_the_place_and_the_branch_and_no_password(settings_for: SettingsFor, tmp_path: Path) -> None:
    source = {"name": "archive", "git": "https://reader:s3cret@example.org/x.git", "branch": "main"}
    definitions = build_definitions(settings_for(tmp_path, sources=[source]))
    [spec] = [
        spec for spec in definitions.resolve_all_asset_specs() if spec.key == dg.AssetKey(["documents", "archive"])
    ]
    assert spec.metadata["place"] == "https://example.org/x.git"
    assert spec.metadata["branch"] == "main"
    assert "s3cret" not in str(spec)


def test_a_repository_that_cannot_be_fetched_fails_the_run_and_the_last_warehouse_stays(
    origin: Origin, write_settings: Callable[..., Path], tmp_path: Path
) -> None:
    origin.commit({"_news/a.md": FILE})
    config = write_settings(tmp_path, sources=_source(origin))
    settings = load_settings(config)
    refresh(settings)
    published = read_file(settings.warehouse_file)
    gone = origin.folder.rename(tmp_path / "gone")
    failed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "refresh", "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert failed.returncode == 1
    assert f"{origin.folder}: there is no git repository" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert read_file(settings.warehouse_file) == published
    assert query(published, "select path from coverage.stories").to_pylist() == [{"path": "_news/a.md"}]
    gone.rename(origin.folder)
    refresh(settings)
    assert read_file(settings.warehouse_file) != published

"""Taking in what changed: nothing twice, nothing missed, whoever reads it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.site import write_site
from pipeline.assets.documents import take_in
from pipeline.content import Counts, intake
from pipeline.content.intake import WORTH_WORKERS
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.session import open_session
from pipeline.settings import Settings

FILE = "---\ncategory: news\ntitle: One\nquality: 10\nheat: 10\n---\n"
TakeIn = Callable[[Settings], Counts]
SettingsFor = Callable[..., Settings]


@pytest.fixture
def read() -> Iterator[TakeIn]:
    """Takes in the one source of the settings, each time in a refresh of its own."""
    numbers = iter(range(100))

    def once(settings: Settings) -> Counts:
        with begin_refresh(settings, f"run {next(numbers)}", None) as refresh:
            return take_in(refresh, settings.sources[0])

    return once


def _write(site: Path, **files: str) -> None:
    (site / "_news").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (site / "_news" / f"{name}.md").write_text(text, "utf-8")


def _read_beside_a_writer(file: Path) -> Callable[[int, int], bytes]:
    """`os.read`, with somebody writing to the file each time."""
    original = os.read

    def read(descriptor: int, size: int) -> bytes:
        content = original(descriptor, size)
        with file.open("a") as writer:
            writer.write("more\n")
        return content

    return read


def _log_rows(settings: Settings) -> list[tuple[object, ...]]:
    logs = Logs.of(settings.lake_dir)
    with open_session("1GB", settings.data_dir / "scratch", logs) as session:
        return session.run(
            "select path, status, version_id, semantic_sha256, item, related, leftovers from log.documents order by all"
        )


def test_files_are_seen_once_and_then_cost_nothing(settings_for: SettingsFor, tmp_path: Path, read: TakeIn) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE, two="no front matter", three="---\n- a list\n---\n")
    settings = settings_for(site)
    assert read(settings) == Counts(seen=3, accepted=1, rejected=1, skipped=1, parsed=3)
    assert read(settings) == Counts(seen=3, unchanged=3)
    assert len(_log_rows(settings)) == 3


def test_losing_the_cache_costs_a_parse_but_no_rows(settings_for: SettingsFor, tmp_path: Path, read: TakeIn) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE, two=FILE)
    settings = settings_for(site)
    read(settings)
    shutil.rmtree(settings.data_dir / "cache")
    assert read(settings) == Counts(seen=2, unchanged=2, parsed=2)


def test_other_rules_read_the_same_bytes_anew(settings_for: SettingsFor, tmp_path: Path, read: TakeIn) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE.replace("heat", f"excerpt: {'long ' * 300}\nheat"))
    assert read(settings_for(site, content={"max_front_matter_kb": 1})).rejected == 1
    assert read(settings_for(site)) == Counts(seen=1, accepted=1, parsed=1)


def test_a_touched_file_is_hashed_and_not_parsed(settings_for: SettingsFor, tmp_path: Path, read: TakeIn) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE)
    settings = settings_for(site)
    read(settings)
    (site / "_news" / "one.md").touch()
    assert read(settings) == Counts(seen=1, unchanged=1)


def test_a_cache_without_its_log_is_not_believed(settings_for: SettingsFor, tmp_path: Path, read: TakeIn) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE)
    settings = settings_for(site)
    read(settings)
    shutil.rmtree(settings.lake_dir)
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)


def test_a_change_that_hides_behind_the_same_size_and_time_is_found(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE)
    settings = settings_for(site)
    read(settings)
    before = (site / "_news" / "one.md").stat()
    _write(site, one=FILE.replace("One", "Two"))
    os.utime(site / "_news" / "one.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)


def test_another_secured_or_other_line_ends_are_no_new_meaning(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE + "body\n", two=FILE.replace("heat", "secured: a\nheat"))
    settings = settings_for(site)
    read(settings)
    (site / "_news" / "one.md").write_bytes((FILE + "body\n").replace("\n", "\r\n").encode())
    _write(site, two=FILE.replace("heat", "secured: b\nheat"))
    assert read(settings) == Counts(seen=2, unchanged=2, parsed=2)


def test_a_meaning_that_comes_back_is_a_new_row_of_the_same_version(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    site = tmp_path / "site"
    settings = settings_for(site)
    for title in ("One", "Two", "One"):
        _write(site, one=FILE.replace("One", title))
        assert read(settings).accepted == 1
    rows = _log_rows(settings)
    assert len(rows) == 3
    assert len({version_id for _, _, version_id, *_ in rows}) == 2


def test_worker_processes_yield_the_rows_of_one_process(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn
) -> None:
    site = tmp_path / "site"
    write_site(site, stories=WORTH_WORKERS + 50, related=1)
    serial = settings_for(site, data_dir=str(tmp_path / "serial"))
    processes = settings_for(site, data_dir=str(tmp_path / "processes"), executor={"kind": "processes", "workers": 2})
    assert read(serial) == read(processes)
    assert _log_rows(serial) == _log_rows(processes)


@pytest.mark.parametrize("cache", ["kept", "lost"])
def test_a_chunk_at_a_time_is_the_same_as_all_at_once(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    """Files new, changed and gone, more than a chunk of each; a file that comes back."""
    outcomes = []
    for chunk in (7, intake.CHUNK_FILES):
        monkeypatch.setattr(intake, "CHUNK_FILES", chunk)
        site = tmp_path / f"{chunk}"
        settings = settings_for(site, data_dir=str(tmp_path / f"data {chunk}"))
        _write(site, **{f"{name:02}": FILE for name in range(40)})
        counts = [read(settings)]
        for name in range(20):
            (site / "_news" / f"{name:02}.md").unlink()
        _write(site, **{f"{name:02}": FILE.replace("One", "Two") for name in (*range(30, 40), *range(50, 60))})
        if cache == "lost":
            shutil.rmtree(settings.data_dir / "cache")
        counts.append(read(settings))
        _write(site, **{"00": FILE})
        counts += [read(settings), read(settings)]
        outcomes.append((counts, _log_rows(settings)))
    assert outcomes[0] == outcomes[1]
    counts, rows = outcomes[0]
    assert (counts[1].seen, counts[1].accepted, counts[1].removed) == (30, 20, 20)
    assert (counts[2].accepted, counts[2].removed) == (1, 0)
    assert len(rows) == 40 + 20 + 20 + 1


def test_a_known_file_that_will_not_hold_still_keeps_what_is_known_and_is_read_next_time(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE)
    settings = settings_for(site)
    read(settings)
    before = _log_rows(settings)
    _write(site, one=FILE.replace("One", "Two"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", _read_beside_a_writer(site / "_news" / "one.md"))
        assert read(settings) == Counts(seen=1, unchanged=1)
    assert _log_rows(settings) == before
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)


def test_a_file_never_seen_that_will_not_hold_still_is_rejected_until_it_does(
    settings_for: SettingsFor, tmp_path: Path, read: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    _write(site, one=FILE)
    settings = settings_for(site)
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", _read_beside_a_writer(site / "_news" / "one.md"))
        assert read(settings) == Counts(seen=1, rejected=1, parsed=1)
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)

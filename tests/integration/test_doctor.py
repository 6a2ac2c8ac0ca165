"""The doctor on sound and on broken set-ups: what is found, what to do, and the exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipeline import doctor
from pipeline.doctor import Finding, Grade, examine
from pipeline.lake.lock import hold_lock
from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def _found(settings: Settings, what: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.what == what and finding.grade != Grade.OK]


def test_a_sound_set_up_has_no_finding_of_weight(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    findings = [*examine(settings_for(sample_site))]
    assert [finding.what for finding in findings] == [
        *(
            "settings",
            "versions",
            "folders",
            "disk",
            "lake",
            "sources",
            "clock",
            "names",
            "dagster home",
            "lock",
            "webhook",
        )
    ]
    assert {finding.grade for finding in findings if finding.what != "clock"} == {Grade.OK}
    assert not [finding for finding in findings if finding.grade != Grade.OK and not finding.remedy]


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ({"enabled": True}, "links.contact is the example"),
        ({"rehearsal": "web.yaml"}, "a rehearsal web answers for every link"),
    ],
)
def test_settings_that_are_an_example(
    settings_for: Callable[..., Settings], sample_site: Path, links: dict[str, object], told: str
) -> None:
    links = {"nameservers": ["127.0.0.1:9"], **links}
    [finding] = _found(settings_for(sample_site, links=links), "settings")
    assert (finding.grade, finding.words) == (Grade.WARNING, told)


def test_a_folder_that_cannot_be_written_to(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    settings = settings_for(sample_site)
    settings.data_dir.mkdir()
    (settings.data_dir / "lake").write_text("a file in the folder's place", "utf-8")
    [finding] = _found(settings, "folders")
    assert finding.grade == Grade.ERROR
    assert f"{settings.data_dir / 'lake'}: cannot be written to" in finding.words
    assert "set data_dir" in finding.remedy


def test_a_disk_with_too_little_room(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_LOW_BYTES", 1 << 60)
    [finding] = _found(settings_for(sample_site), "disk")
    assert finding.grade == Grade.ERROR
    assert "free the disk" in finding.remedy


def test_a_source_that_is_not_there(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    [finding] = _found(settings_for(tmp_path / "nowhere"), "sources")
    assert finding.grade == Grade.ERROR
    assert f"{tmp_path / 'nowhere'}: no such folder" in finding.words


def test_name_servers_that_do_not_answer(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_DNS_SECONDS", 0.2)
    links = {"nameservers": ["127.0.0.1:9", "127.0.0.2"], "contact": "mailto:desk@news.example"}
    [finding] = _found(settings_for(sample_site, links=links), "names")
    assert finding.grade == Grade.ERROR
    assert "127.0.0.1:9, 127.0.0.2 did not answer for news.example" in finding.words


def test_a_clock_that_went_back(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    settings = settings_for(sample_site)
    log = settings.lake_dir / "log" / "refreshes" / "part.parquet"
    log.parent.mkdir(parents=True)
    log.touch()
    os.utime(log, (4e9, 4e9))
    [finding] = _found(settings, "clock")
    assert finding.grade == Grade.ERROR
    assert "timedatectl set-ntp true" in finding.remedy


@pytest.mark.parametrize(
    ("text", "grade"), [("telemetry: {enabled: [", Grade.ERROR), ("storage: {}", Grade.WARNING), ("", Grade.WARNING)]
)
def test_a_dagster_home_that_is_not_ours(
    settings_for: Callable[..., Settings], sample_site: Path, text: str, grade: Grade
) -> None:
    settings = settings_for(sample_site)
    settings.dagster_home.mkdir(parents=True)
    (settings.dagster_home / "dagster.yaml").write_text(text, "utf-8")
    [finding] = _found(settings, "dagster home")
    assert (finding.grade, finding.remedy) == (grade, "remove it: it is made anew")


def test_another_dagster_home(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    [finding] = _found(settings_for(sample_site), "dagster home")
    assert finding.grade == Grade.WARNING
    assert str(tmp_path) in finding.words


def test_the_holder_of_the_lock(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    settings = settings_for(sample_site)
    with hold_lock(settings.lock_file, "run of a test"):
        [finding] = _found(settings, "lock")
    assert finding.grade == Grade.WARNING
    assert f"held: run of a test, process {os.getpid()}" in finding.words
    assert _found(settings, "lock") == []


@pytest.mark.parametrize(
    ("url", "grade"),
    [("hooks.example/services/x", Grade.ERROR), ("http://hooks.example/services/x", Grade.WARNING)],
)
def test_a_webhook_that_is_wrong_is_told_without_its_secret(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch, url: str, grade: Grade
) -> None:
    monkeypatch.setenv("NEWSLEDGER_WEBHOOK", url)
    [finding] = _found(settings_for(sample_site), "webhook")
    assert finding.grade == grade
    assert "services" not in finding.words + finding.remedy


def test_a_version_that_does_not_fit(
    settings_for: Callable[..., Settings], sample_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _: ["duckdb<1", "no-such-package", "s3fs; extra == 's3'"])
    [finding] = _found(settings_for(sample_site), "versions")
    assert finding.grade == Grade.ERROR
    assert "is not <1; no-such-package is missing" in finding.words
    assert "scripts/setup" in finding.remedy


@pytest.mark.parametrize(("site", "code"), [("site", 0), ("nowhere", 1)])
def test_the_exit_code_says_whether_something_must_be_mended(
    write_settings: Callable[..., Path], sample_site: Path, site: str, code: int
) -> None:
    config = write_settings(sample_site.with_name(site))
    done = _doctor(config)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("error   sources" in done.stdout) is (code == 1)


def test_settings_that_cannot_be_read_are_told_too(tmp_path: Path) -> None:
    config = tmp_path / "newsledger.yaml"
    config.write_text(yaml.safe_dump({"sources": [{"name": "a", "path": "x"}], "unknown": 1}), "utf-8")
    done = _doctor(config)
    assert done.returncode == 1
    assert "unknown setting unknown" in done.stderr


def _doctor(config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", "doctor", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

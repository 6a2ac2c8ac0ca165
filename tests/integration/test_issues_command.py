"""`newsledger issues`, as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import QueryError
from pipeline.settings import load_settings
from tests.refreshing import refresh

Run = Callable[..., bytes]
BROKEN = "---\ncategory: news\ntitle: [One\n---\n"
ODD = '---\ncategory: news\ntitle: One\nquality: "\\e[31mred\\n"\n---\n'
SLUGS = "---\ncategory: news\ntitle: Two\nrelated: [a-slug]\n---\n"


@pytest.fixture
def newsledger(tmp_path: Path, write_settings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    """What the command line prints in the folder that holds the archive `site`, or in another one."""
    config = write_settings(tmp_path / "site")

    def run(*arguments: str, here: Path = tmp_path) -> bytes:
        monkeypatch.chdir(here)
        done = CliRunner().invoke(app, [*arguments, "--config", str(config)], catch_exceptions=False)
        assert done.stderr == ""
        return done.stdout_bytes

    return run


def _write(site: Path, name: bytes, text: str) -> None:
    (site / "_news").mkdir(parents=True, exist_ok=True)
    (site / "_news" / os.fsdecode(name)).write_text(text, "utf-8")


def test_issues_are_listed_as_an_editor_opens_them_until_the_files_are_mended(newsledger: Run, tmp_path: Path) -> None:
    site = tmp_path / "site"
    broken, odd = b"b.md", b"a \x1b[2J\n\xff.md"
    _write(site, broken, BROKEN)
    _write(site, odd, ODD)
    _write(site, b"c.md", SLUGS)
    settings = load_settings(tmp_path / "newsledger.yaml")
    refresh(settings)

    listed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "issues", "--config", str(tmp_path / "newsledger.yaml")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert (listed.returncode, listed.stderr) == (0, b"")
    assert newsledger("issues") == listed.stdout
    error, _, warning, excerpt = listed.stdout.decode().splitlines()
    assert error.startswith("site/_news/b.md:4:1: error: invalid_syntax: YAML: ")
    assert warning == (r"site/_news/a \x1b[2J\n\xff.md:4:10: warning: wrong_type: quality should be an integer")
    assert excerpt == r'    "\u001b[31mred\n"'

    elsewhere = newsledger("issues", "--severity", "error", here=tmp_path.parent.parent)
    name, _, rest = elsewhere.decode().splitlines()[0].partition(":")
    assert (tmp_path.parent.parent / name).read_text("utf-8") == BROKEN
    assert rest.startswith("4:1: error: ")
    (tmp_path / "aside").mkdir()
    outside = newsledger("issues", "--code", "invalid_syntax", here=tmp_path / "aside")
    assert outside.decode().startswith(f"{site}/_news/b.md:4:1: error: ")

    everything = newsledger("issues", "--severity", "info", "--format", "json", "--source", "sample")
    assert [row["code"] for row in json.loads(everything)] == [
        "invalid_syntax",
        "wrong_type",
        "related_not_a_mapping",
    ]
    assert b"\x1b" not in newsledger("issues", "--format", "table")
    assert newsledger("issues", "--format", "csv").startswith(b'"source","path","line","column"')
    assert b"related_not_a_mapping" in newsledger("issues", "--code", "related_not_a_mapping")

    _write(site, broken, BROKEN.replace("[", ""))
    (site / "_news" / os.fsdecode(odd)).unlink()
    refresh(settings)
    assert newsledger("issues") == b"no problems\n"
    counted = newsledger("sql", "select count(*) as n from coverage.document_issues", "-f", "csv")
    assert counted == b'"n"\n1\n', "the slug's, which is no problem"


@pytest.mark.parametrize(("option", "name"), [("--source", "nowhere"), ("--code", "no_such")])
def test_a_name_that_nothing_has_is_refused(newsledger: Run, tmp_path: Path, option: str, name: str) -> None:
    _write(tmp_path / "site", b"a.md", SLUGS)
    with pytest.raises(QueryError, match=f"{name}: no such"):
        newsledger("issues", option, name)

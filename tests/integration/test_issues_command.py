"""`newsledger issues`, as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]
BROKEN = "---\ncategory: news\ntitle: [One\n---\n"
ODD = '---\ncategory: news\ntitle: One\nquality: "\\e[31mred\\n"\n---\n'
SLUGS = "---\ncategory: news\ntitle: Two\nrelated: [a-slug]\n---\n"


@pytest.fixture
def newsledger(tmp_path: Path, write_settings: Callable[..., Path]) -> Run:
    """Runs the command line from the folder that holds the archive `site`, or another one."""
    config = write_settings(tmp_path / "site")

    def run(*arguments: str, here: Path = tmp_path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments, "--config", str(config)],
            cwd=here,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            timeout=100,
            check=False,
        )

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
    assert newsledger("refresh").returncode == 0

    listed = newsledger("issues")
    assert (listed.returncode, listed.stderr) == (0, b"")
    error, _, warning, excerpt = listed.stdout.decode().splitlines()
    assert error.startswith("site/_news/b.md:4:1: error: invalid_syntax: YAML: ")
    assert warning == (r"site/_news/a \x1b[2J\n\xff.md:4:10: warning: wrong_type: quality should be an integer")
    assert excerpt == r'    "\u001b[31mred\n"'

    elsewhere = newsledger("issues", "--severity", "error", here=tmp_path.parent.parent)
    name, _, rest = elsewhere.stdout.decode().splitlines()[0].partition(":")
    assert (tmp_path.parent.parent / name).read_text("utf-8") == BROKEN
    assert rest.startswith("4:1: error: ")
    (tmp_path / "aside").mkdir()
    outside = newsledger("issues", "--code", "invalid_syntax", here=tmp_path / "aside")
    assert outside.stdout.decode().startswith(f"{site}/_news/b.md:4:1: error: ")

    everything = newsledger("issues", "--severity", "info", "--format", "json", "--source", "sample")
    assert [row["code"] for row in json.loads(everything.stdout)] == [
        "invalid_syntax",
        "wrong_type",
        "related_not_a_mapping",
    ]
    assert b"\x1b" not in newsledger("issues", "--format", "table").stdout
    assert newsledger("issues", "--format", "csv").stdout.startswith(b'"source","path","line","column"')
    assert b"related_not_a_mapping" in newsledger("issues", "--code", "related_not_a_mapping").stdout

    _write(site, broken, BROKEN.replace("[", ""))
    (site / "_news" / os.fsdecode(odd)).unlink()
    assert newsledger("refresh").returncode == 0
    mended = newsledger("issues")
    assert (mended.returncode, mended.stdout) == (0, b"no problems\n")
    counted = newsledger("sql", "select count(*) as n from coverage.document_issues", "-f", "csv")
    assert counted.stdout == b'"n"\n1\n', "the slug's, which is no problem"


@pytest.mark.parametrize(("option", "name"), [("--source", "nowhere"), ("--code", "no_such")])
def test_a_name_that_nothing_has_is_refused(newsledger: Run, tmp_path: Path, option: str, name: str) -> None:
    _write(tmp_path / "site", b"a.md", SLUGS)
    refused = newsledger("issues", option, name)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert f"{name}: no such" in refused.stderr.decode()

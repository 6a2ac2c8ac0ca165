"""`newsledger links check` and `fix`, as a person runs them, on an archive whose links were asked for one night."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from pipeline.assets.archive import look_for_copies
from pipeline.cli import app
from pipeline.content import open_tree, path_bytes
from pipeline.errors import NewsledgerError, QueryError, RefreshBusyError, WarehouseError
from pipeline.fixing import Fix, apply
from pipeline.lake.lock import hold_lock
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file
from tests.refreshing import refresh
from tests.repositories import Origin
from tests.tables import uid
from tests.warehouses import published

OLD, NEW = "https://www.moved.example/old-page?a=1&b=2", "https://new.example/here/old-page?a=1&b=2"
SOFT, COPY = "https://soft.example/story/one", "https://web.archive.example/web/20240503000000/https://soft.example/"
BARE, WEB = "https://expired.example/x", "https://web-form.example/x"
YAML = f"""---\r
category: news      # not a category of ours\r
title:   "Old"\r
publishedDateTime: 2024-05-01T00:00:00Z\r
webUrl: '{OLD.replace("&", "&amp;")}'   # {OLD}\r
originalUrl: {SOFT}\r
related:\r
  - {{title: Two, webUrl: {WEB}, originalUrl: {BARE}}}\r
---\r
Read [it]({OLD}).\r
no line break at the end"""
FILES = {
    "_news/a b.md": YAML.encode(),
    "_news/c.md": f'+++\ntitle = "Three"\nwebUrl = "{OLD}" # kept\nz = 1\n+++\n'.encode(),
    "_news/é.json": json.dumps({"title": "Four", "webUrl": OLD}, indent=1).replace("/", "\\/").encode(),
}
HOSTS: dict[str, object] = {
    "www.moved.example": {"paths": {"/old-page?a=1&b=2": {"status": 301, "location": NEW}}},
    "new.example": {"paths": {"/here/old-page?a=1&b=2": {"title": "Here \x1b[2J"}}},
    "soft.example": {"paths": {"/story/one": {"status": 302, "location": "/"}, "/": {"title": "Home"}}},
    "expired.example": {"tls": "expired", "paths": {"/x": {}}},
    "web-form.example": {"paths": {"/x": {}}},
    "gone.example": {"paths": {"/x": {"status": 404}}},
    "archive.example": {
        "paths": {
            "/available?url=https%3A%2F%2Fsoft.example%2Fstory%2Fone&timestamp=20240501000000": {
                "body": json.dumps(
                    {
                        "archived_snapshots": {
                            "closest": {
                                "available": True,
                                "status": "200",
                                "timestamp": "20240503000000",
                                "url": COPY,
                            }
                        }
                    }
                )
            },
            "/available?url=https%3A%2F%2Fexpired.example%2Fx&timestamp=20240501000000": {
                "body": '{"archived_snapshots": {}}'
            },
        }
    },
}


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive after its night; `run` runs a command of ours on it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "newsledger.yaml"

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)], catch_exceptions=False)

    def contents(self) -> dict[str, bytes]:
        return {name: (self.site / name).read_bytes() for name in FILES}


def write_machine(folder: Path, *sources: Mapping[str, str], **sections: object) -> Path:
    """The archive, the web that answers its links, and the settings over them and further sources: their file."""
    for name, content in FILES.items():
        (folder / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / name).write_bytes(content)
    (folder / "web.yaml").write_text(yaml.safe_dump({"hosts": HOSTS}), "utf-8")
    values = {
        "data_dir": "data",
        "sources": [{"name": "site", "path": "site"}, *sources],
        "links": {
            "rehearsal": "web.yaml",
            "pace_seconds": 0.01,
            "timeout_seconds": 2,
            "wayback": {"enabled": True, "endpoint": "https://archive.example/available", "pace_seconds": 0.01},
        },
        "executor": {"kind": "serial"},
    }
    config = folder / "newsledger.yaml"
    config.write_text(yaml.safe_dump(values | sections), "utf-8")
    return config


@pytest.fixture(scope="module")
def after_a_night(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    refresh(load_settings(write_machine(folder)))
    return Archive(folder)


@pytest.fixture
def archive(after_a_night: Archive) -> Iterator[Archive]:
    """The same, with its files as they were read."""
    for name, content in FILES.items():
        (after_a_night.site / name).unlink(missing_ok=True)
        (after_a_night.site / name).write_bytes(content)
    yield after_a_night
    shutil.rmtree(after_a_night.folder / "elsewhere", ignore_errors=True)


# What a night leaves in the tables


def test_a_refresh_finds_replacements_and_asks_the_archive_for_copies(archive: Archive) -> None:
    """Its answers judge no link; the best replacement stands beside the state."""
    file = read_file(archive.settings.warehouse_file)
    told = query(
        file,
        "select fetch_url, rank, reason, replacement, remedy, len(check_ids) as checks from links.remedies"
        " join links.states using (url_id) join coverage.urls using (url_id) order by fetch_url, rank",
    )
    assert [tuple(row.values()) for row in told.to_pylist()] == [
        (BARE, 1, "same_article", WEB, WEB, 1),
        (SOFT, 1, "archived", COPY, COPY, 1),
        (OLD, 1, "moved_permanently", NEW, NEW, 2),
    ]
    rows = query(
        file,
        "select fetch_url, checks.http_status, snapshot_url, verdict from links.checks"
        " join links.verdicts using (url_id, night) join coverage.urls using (url_id)"
        " where kind = 'archive' order by all",
    )
    assert [tuple(row.values()) for row in rows.to_pylist()] == [
        (BARE, 200, None, "insecure"),
        (SOFT, 200, COPY, "soft_404"),
    ]


def test_an_archive_that_comes_to_grief_fails_nothing(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    settings = archive.settings
    links = settings.links.model_copy(update={"rehearsal": archive.folder / "no-such-web.yaml"})
    with begin_refresh(settings.model_copy(update={"links": links}), "a run", None) as refresh:
        assert look_for_copies(refresh) is None
    assert "no-such-web.yaml" in caplog.text


# fix


def test_fix_proposes_a_diff_that_git_can_apply_and_writes_nothing(archive: Archive, tmp_path: Path) -> None:
    result = archive.run("links", "fix")
    assert result.exit_code == 0
    assert archive.contents() == FILES
    assert result.stderr.splitlines() == [
        "5 URLs in 3 files proposed; --apply writes them",
        "1 more stand in bodies, which are left to their authors",
    ]
    assert "# /related/0/originalUrl: same_article, confidence 0.90, seen " in result.stdout
    copy = Path(shutil.copytree(archive.site, tmp_path / "site"))
    patch = tmp_path / "fix.patch"
    patch.write_bytes(result.stdout_bytes)
    subprocess.run(["git", "apply", "--whitespace=nowarn", str(patch)], cwd=copy, check=True, capture_output=True)
    assert archive.run("links", "fix", "--apply").exit_code == 0
    assert {name: (copy / name).read_bytes() for name in FILES} == archive.contents()


def test_fix_changes_the_urls_and_not_a_byte_else(archive: Archive) -> None:
    (archive.site / "_news/c.md").chmod(0o640)
    assert archive.run("links", "fix", "--apply").exit_code == 0
    yaml_text = YAML.replace(f"'{OLD.replace('&', '&amp;')}'", f"'{NEW.replace('&', '&amp;')}'")
    yaml_text = yaml_text.replace(f"originalUrl: {SOFT}", f"originalUrl: {COPY}").replace(BARE, WEB)
    assert archive.contents() == {
        "_news/a b.md": yaml_text.encode(),
        "_news/c.md": FILES["_news/c.md"].replace(f'"{OLD}"'.encode(), f'"{NEW}"'.encode()),
        "_news/é.json": FILES["_news/é.json"].replace(
            OLD.replace("/", "\\/").encode(), NEW.replace("/", "\\/").encode()
        ),
    }
    assert stat.S_IMODE((archive.site / "_news/c.md").stat().st_mode) == 0o640
    again = archive.run("links", "fix", "--apply")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.count("the file changed since it was read; refresh, then fix again") == 3


def test_fix_refuses_what_changed_and_fixes_what_did_not(archive: Archive) -> None:
    """Another meaning may stand elsewhere; other bytes of the same meaning do not."""
    (archive.site / "_news/c.md").write_bytes(FILES["_news/c.md"].replace(b"Three", b"Drei"))
    rewritten = FILES["_news/a b.md"].replace(b"\r\n", b"\n")
    (archive.site / "_news/a b.md").write_bytes(rewritten)
    (archive.site / "_news/é.json").unlink()
    result = archive.run("links", "fix", "--apply")
    assert result.exit_code == 1
    assert "site: _news/c.md: the file changed since it was read; refresh, then fix again" in result.stderr
    assert "site: _news/é.json: the file cannot be read: No such file or directory" in result.stderr
    assert "3 URLs in 1 files written" in result.stderr
    assert (archive.site / "_news/c.md").read_bytes() == FILES["_news/c.md"].replace(b"Three", b"Drei")
    assert (archive.site / "_news/a b.md").read_bytes() != rewritten
    assert b"\r" not in (archive.site / "_news/a b.md").read_bytes()


@pytest.mark.parametrize(
    ("options", "urls"),
    [
        (["--reason", "archived"], 1),
        (["--reason", "archived", "--reason", "same_article"], 2),
        (["--least-confidence", "0.95"], 3),
        (["--least-confidence", "0.9"], 4),
        (["--source", "site", "--reason", "https_twin"], 0),
    ],
)
def test_fix_proposes_only_what_is_wanted(archive: Archive, options: list[str], urls: int) -> None:
    result = archive.run("links", "fix", *options)
    assert result.stdout.count("confidence") == urls
    assert result.stderr.startswith(f"{urls} URLs")


def test_fix_knows_its_sources_and_its_options(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="elsewhere: no such source; the settings name site"):
        archive.run("links", "fix", "--source", "elsewhere")
    assert archive.run("links", "fix", "--reason", "hearsay").exit_code == 2
    assert archive.run("links", "fix", "--least-confidence", "2").exit_code == 2
    other = Archive(tmp_path)
    other.config.write_text(yaml.safe_dump({"sources": [{"name": "site", "path": "."}]}), "utf-8")
    with pytest.raises(WarehouseError, match="no warehouse was published yet"):
        other.run("links", "fix")


def test_of_a_source_that_is_no_folder_fix_gives_the_diff_alone(archive: Archive) -> None:
    elsewhere = archive.folder / "elsewhere"
    elsewhere.mkdir()
    origin = Origin.made(elsewhere / "origin.git")
    origin.commit(dict(FILES))
    values = yaml.safe_load(archive.config.read_text("utf-8"))
    values |= {"sources": [{"name": "site", "git": str(origin.folder)}], "data_dir": str(archive.folder / "data")}
    other = Archive(elsewhere)
    other.config.write_text(yaml.safe_dump(values), "utf-8")
    open_tree(other.settings.sources[0], other.settings.copies_dir).updated()
    proposed, applied = other.run("links", "fix"), other.run("links", "fix", "--apply")
    assert (proposed.exit_code, applied.exit_code) == (0, 1)
    assert proposed.stdout == applied.stdout
    assert proposed.stdout.count("\n+++ ") == 3
    assert applied.stderr.count("no folder of this machine; apply the diff where the archive is kept") == 3


@pytest.mark.parametrize(
    ("before", "after", "diff"),
    [
        (b"a\nb\n", b"a\nc\n", b"@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
        (b"a\r\nb", b"a\r\nc", b"@@ -1,2 +1,2 @@\n a\r\n-b\n%+c\n%"),
        (b"a\xc2\x85b\x0cc\rd", b"a\xc2\x85x\x0cc\rd", b"@@ -1 +1 @@\n-a\xc2\x85b\x0cc\rd\n%+a\xc2\x85x\x0cc\rd\n%"),
    ],
)
def test_lines_of_a_diff_end_at_line_feeds_alone(before: bytes, after: bytes, diff: bytes) -> None:
    """And a last line without one is marked: here by %."""
    diff = diff.replace(b"%", b"\\ No newline at end of file\n")
    assert Fix("s", "a.md", before, after, (), ()).diff().endswith(b"--- a/a.md\n+++ b/a.md\n" + diff)


@pytest.mark.parametrize("name", ['a "quoted"\\x5c name.md', "tab\there.md", "spaced name.md", "\\xff.md", "ü.md"])
def test_a_diff_names_its_file_so_that_git_finds_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / os.fsdecode(path_bytes(name))
    file.write_bytes(b"a\nb\n")
    fix = Fix("s", name, b"a\nb\n", b"a\nc\n", (f"{name!r}: x",), ())
    subprocess.run(["git", "apply"], cwd=tmp_path, input=fix.diff(), check=True, capture_output=True)
    assert file.read_bytes() == b"a\nc\n"


def test_a_file_that_changes_under_the_hands_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"other")
    with pytest.raises(NewsledgerError, match=r"s: a\.md: the file has just changed"):
        apply(Fix("s", "a.md", b"before", b"after", (), ()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    with pytest.raises(NewsledgerError, match=r"s: b\.md: cannot be written, and stays as it was: No such file"):
        apply(Fix("s", "b.md", b"before", b"after", (), ()), tmp_path)


def test_a_file_behind_a_symlink_is_written_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_bytes(b"before")
    (tmp_path / "a.md").symlink_to("real.md")
    apply(Fix("s", "a.md", b"before", b"after", (), ()), tmp_path)
    assert (tmp_path / "a.md").is_symlink()
    assert (tmp_path / "real.md").read_bytes() == b"after"


def test_nothing_is_written_out_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "out.md").write_bytes(b"before")
    (tmp_path / "site" / "a.md").symlink_to("../out.md")
    for path in ("a.md", "../out.md"):
        with pytest.raises(NewsledgerError, match="leads out of the source's folder"):
            apply(Fix("s", path, b"before", b"after", (), ()), tmp_path / "site")
    assert (tmp_path / "out.md").read_bytes() == b"before"


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(NewsledgerError, match=r"s: a\.md: cannot be written, and stays as it was: Is a directory"):
        apply(Fix("s", "a.md", b"before", b"after", (), ()), tmp_path)
    (tmp_path / "b.md").write_bytes(b"before")
    (tmp_path / "b.md.new").write_bytes(b"a file of the archive")
    apply(Fix("s", "b.md", b"before", b"after", (), ()), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a.md", "b.md", "b.md.new"}
    assert (tmp_path / "b.md.new").read_bytes() == b"a file of the archive"


def test_a_key_of_amp_gets_no_form_that_is_not_amp(tmp_path: Path) -> None:
    """But where the page moved, and a copy."""
    site = tmp_path / "site"
    site.mkdir()
    content = f"---\nwebUrl: {OLD}\nampWebUrl: {OLD}\n---\n".encode()
    (site / "a.md").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    remedy = {"url_id": uid(1), "night": date(2026, 3, 9), "check_ids": []}
    published(
        {
            "coverage.url_uses": [
                {"url_id": uid(1), "version_id": uid(2), "source": "site", "path": "a.md", "raw": OLD}
                | {"pointer": f"/{key}", "role": role}
                for key, role in (("webUrl", "web"), ("ampWebUrl", "amp"))
            ],
            "coverage.document_versions": [{"version_id": uid(2), "source": "site", "path": "a.md", "sha256": digest}],
            "links.remedies": [
                remedy | {"rank": 1, "replacement": WEB, "reason": "same_article", "confidence": 0.9},
                remedy | {"rank": 2, "replacement": COPY, "reason": "archived", "confidence": 0.5},
            ],
        },
        tmp_path,
    )
    other = Archive(tmp_path)
    values = {"sources": [{"name": "site", "path": "site"}], "data_dir": "."}
    other.config.write_text(yaml.safe_dump(values), "utf-8")
    assert other.run("links", "fix", "--apply").exit_code == 0
    assert (site / "a.md").read_text("utf-8") == f"---\nwebUrl: {WEB}\nampWebUrl: {COPY}\n---\n"


# check


def test_check_asks_now_and_shows_the_way_to_its_verdict(archive: Archive) -> None:
    result = archive.run("links", "check", OLD, WEB)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        OLD,
        f"  moved, confidence 1, moved for good to {NEW}",
        f"  libcurl   GET 301 {OLD} “Old page”",
        f"  libcurl   GET 206 {NEW} “Here \\x1b[2J”",
        WEB,
        "  alive, confidence 1",
        f"  libcurl   GET 206 {WEB} “X”",
    ]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://gone.example/x", "gone, confidence 0.95"),
        (BARE, "insecure, confidence 0.9"),
        (SOFT, "soft_404, confidence 0.6, ended_at_root"),
        ("http://not-there.example/", "unreachable, confidence 0.9"),
        ("http://10.0.0.1/", "refused, confidence 1"),
        ("javascript:alert(1)", "malformed, confidence 1"),
        ("www.moved.example", "malformed, confidence 1"),
    ],
)
def test_a_link_that_is_not_alive_is_told_by_the_exit_code(archive: Archive, url: str, told: str) -> None:
    result = archive.run("links", "check", WEB, url, url)
    assert result.exit_code == 3
    assert result.stdout.count(f"{url}\n  {told}\n") == 1


def test_a_check_leaves_nothing_behind(archive: Archive) -> None:
    log = archive.settings.lake_dir / "log" / "link_checks"
    before = sorted(log.rglob("*"))
    archive.run("links", "check", "https://gone.example/x")
    assert sorted(log.rglob("*")) == before


def test_a_check_waits_for_no_refresh(archive: Archive) -> None:
    """Both together could ask one host twice as fast."""
    with (
        hold_lock(archive.settings.lock_file, "a refresh"),
        pytest.raises(RefreshBusyError, match=r"another refresh is running \(a refresh"),
    ):
        archive.run("links", "check", WEB)


def test_check_wants_a_url(archive: Archive) -> None:
    assert archive.run("links", "check").exit_code == 2

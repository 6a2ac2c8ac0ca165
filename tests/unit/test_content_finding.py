"""Which files a source holds, and where it is published."""

import os
from pathlib import Path

import pytest

from pipeline.content import Folder, Rules, path_bytes, path_text, site_base
from pipeline.content.globs import compile_globs
from pipeline.errors import SourceError
from pipeline.model.urls import SiteBase
from pipeline.settings import Content, Source
from tests.reading import find_files


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def found(root: Path, include: tuple[str, ...] = ("**/*.md",), exclude: tuple[str, ...] = ()) -> list[str]:
    return find_files(root, include, exclude)["path"].to_pylist()


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**/*.md", "a.md", True),
        ("**/*.md", "a/b/c.md", True),
        ("**/*.md", "a/b/c.mdx", False),
        ("**/*.md", "a/B.MD", False),
        ("*.md", "a/b.md", True),
        ("/*.md", "a/b.md", False),
        ("/*.md", "b.md", True),
        ("api/**", "api/v1/a.md", True),
        ("api/**", "x/api/a.md", False),
        ("api/**", "apis/a.md", False),
        ("_news", "_news/2021/a.md", True),
        ("_news/", "x/_news/a.md", True),
        ("a/**/b.md", "a/b.md", True),
        ("a/**/b.md", "a/x/y/b.md", True),
        ("a/**/b.md", "a/xb.md", False),
        ("a/*/b.md", "a/x/y/b.md", False),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("[a-c].md", "b.md", True),
        ("[!a-c].md", "b.md", False),
        ("[!a-c].md", "d.md", True),
        ("[c-a].md", "b.md", False),
        ("a[.md", "a[.md", True),
        ("a\\*.md", "a*.md", True),
        ("a\\*.md", "ab.md", False),
        ("a.c", "abc", False),
        ("*\n.md", "x\n.md", True),
    ],
)
def test_globs_are_read_as_git_reads_them(pattern: str, path: str, matches: bool) -> None:
    assert bool(compile_globs([pattern]).fullmatch(path)) is matches


def test_no_glob_matches_nothing() -> None:
    assert not compile_globs([]).fullmatch("a")


def test_files_are_sorted_and_excluded_folders_left_out(tmp_path: Path) -> None:
    make(tmp_path, "b.md", "a/z.md", "a.md", "api/x.md", "deep/api/y.md", ".git/z.md", "c.txt", ".hidden/h.md")
    assert found(tmp_path, exclude=("api/**",)) == [".hidden/h.md", "a.md", "a/z.md", "b.md", "deep/api/y.md"]


def test_a_row_tells_what_a_stat_tells(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    stat = (tmp_path / "a.md").stat()
    assert find_files(tmp_path, ("*",), ()).to_pylist() == [
        {
            "path": "a.md",
            "size": 4,
            "mtime_ns": stat.st_mtime_ns,
            "ctime_ns": stat.st_ctime_ns,
            "inode": stat.st_ino,
        }
    ]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert find_files(tmp_path, ("**",), ()).num_rows == 0


def test_symlinks_lead_nowhere_outside_and_never_in_circles(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "a.md", "folder/b.md")
    make(tmp_path, "outside.md")
    (root / "loop").symlink_to(root)
    (root / "self.md").symlink_to(root / "self.md")
    (root / "inside.md").symlink_to(root / "folder/b.md")
    (root / "outside.md").symlink_to(tmp_path / "outside.md")
    (root / "broken.md").symlink_to(root / "nothing")
    os.mkfifo(root / "pipe.md")
    assert found(root) == ["a.md", "folder/b.md", "inside.md"]


def test_a_source_may_itself_be_a_symlink(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "link") == ["a.md"]


@pytest.mark.parametrize(
    "name", [b"a b.md", b"a'\".md", b"a\nb.md", b"\xff\xfe.md", b"a\\xff.md", b"a\\.md", "é.md".encode()]
)
def test_a_name_of_any_bytes_is_text_that_leads_back(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).touch()
    [path] = found(tmp_path)
    path.encode()
    assert path == path_text(name)
    assert path_bytes(path) == name


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_source_that_is_no_folder_is_an_error_that_names_it(tmp_path: Path, kind: str) -> None:
    make(tmp_path, "file")
    with pytest.raises(SourceError, match=rf"{kind}.*`path`.*`sources`"):
        find_files(tmp_path / kind, ("**",), ())


def test_rules_come_from_the_settings() -> None:
    assert Rules.of(Content(volatile_keys=("a",), max_front_matter_kb=2, max_file_mb=3)) == Rules(
        frozenset({"a"}), 2048, 3 * 1024 * 1024
    )


@pytest.mark.parametrize(
    ("config", "site_url", "base_url", "base"),
    [
        ("url: https://a.org\nbaseurl: /b\n", None, None, SiteBase("https://a.org", "/b")),
        ("url: https://a.org\n", None, None, SiteBase("https://a.org", "")),
        ("url: https://a.org\nbaseurl: /b\n", "https://s.org", None, SiteBase("https://s.org", "/b")),
        ("url: https://a.org\nbaseurl: /b\n", "https://s.org", "", SiteBase("https://s.org", "")),
        (None, "https://s.org", "/x", SiteBase("https://s.org", "/x")),
        (None, None, None, None),
        ("url: [", None, None, None),
        ("- a", None, None, None),
        ("url: ''", None, None, None),
        ("url: 1", None, None, None),
        ("url: !x y", None, None, None),
        ("url: https://a.org\nbaseurl: null", None, None, SiteBase("https://a.org", "")),
    ],
)
def test_the_site_is_named_by_the_settings_or_its_own_config(
    tmp_path: Path, config: str | None, site_url: str | None, base_url: str | None, base: SiteBase | None
) -> None:
    if config is not None:
        (tmp_path / "_config.yml").write_text(config)
    assert site_base(Source(name="s", path=tmp_path, site_url=site_url, base_url=base_url), Folder(tmp_path)) == base


def test_by_default_what_generators_make_is_left_out(tmp_path: Path) -> None:
    kept = ["_data/a.json", "_data/a.yml", "_news/a.md", "a.html", "content/posts/a.markdown", "notes/a.txt"]
    left_out = [
        *("_config.yml", "_site/a.html", "api/a.md", "node_modules/x/readme.md", "x/node_modules/a.md", "package.json"),
        *("public/a.html", ".github/a.md", "x/.cache/a.md", "vendor/bundle/a.md", "a.png"),
    ]
    make(tmp_path, *kept, *left_out, "_news/_config.yml", "content/public/a.md")
    source = Source(name="s", path=tmp_path)
    assert found(tmp_path, source.include, source.exclude) == sorted(
        [*kept, "_news/_config.yml", "content/public/a.md"]
    )

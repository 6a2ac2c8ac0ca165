"""Every trap of real archives: what a file becomes, with which code, at which place."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.content import Rules, path_text, rebuild
from pipeline.content import reading as reading_module
from pipeline.model.ids import content_id
from pipeline.model.logs import DOCUMENTS
from tests.reading import read_files

RULES = Rules(frozenset({"secured"}), 64 * 1024, 1024 * 1024)
NOW = datetime(2021, 6, 3, 2, tzinfo=UTC)


def read(folder: Path, content: bytes | str, name: str = "_news/a.md", rules: Rules = RULES) -> dict[str, Any]:
    """The row of one file."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_files(folder, "s", [name], rules, NOW, "r1")
    assert table.schema.equals(DOCUMENTS)
    table.validate(full=True)
    return table.to_pylist()[0]


def codes(row: dict[str, Any]) -> list[str]:
    return [issue["code"] for issue in row["issues"]]


def leftovers(row: dict[str, Any]) -> dict[str, str]:
    return {leftover["pointer"]: leftover["value"] for leftover in row["leftovers"]}


@pytest.mark.parametrize(
    ("name", "content", "mapping", "body"),
    [
        ("plain", "---\na: 1\n---\nbody\n", {"a": 1}, "body\n"),
        ("crlf", "---\r\na: 1\r\n---\r\nbody\r\n", {"a": 1}, "body\r\n"),
        ("value over a CRLF", '---\r\na: |\r\n  x\r\n  y\r\nb: "p\r\n  q"\r\n---\r\n', {"a": "x\ny\n", "b": "p q"}, ""),
        ("byte order mark", "\ufeff---\na: 1\n---\n", {"a": 1}, ""),
        ("spaces behind the fences", "---  \t\na: 1\n--- \t\nbody", {"a": 1}, "body"),
        ("dots close", "---\na: 1\n...\nbody", {"a": 1}, "body"),
        ("no final newline", "---\na: 1\n---", {"a": 1}, ""),
        ("a fence inside a block scalar", "---\na: |\n  ---\n  x\n---\n", {"a": "---\nx\n"}, ""),
        ("a block scalar ends at the fence", "---\na: |\n  x\n---\n", {"a": "x\n"}, ""),
        ("a fence in the body", "---\na: 1\n---\nx\n---\ny\n", {"a": 1}, "x\n---\ny\n"),
        ("four dashes close nothing", "---\na: |\n ----\n---\n", {"a": "----\n"}, ""),
        ("nothing between the fences", "---\n---\nbody", {}, "body"),
        ("comments between the fences", "---\n# nothing\n---\nbody", {}, "body"),
        ("toml", "+++\na = 1\nd = 2021-02-03\n+++\nbody", {"a": 1, "d": date(2021, 2, 3)}, "body"),
        ("json", '{"a": {"b": [1]}}\nbody', {"a": {"b": [1]}}, "body"),
    ],
)
def test_front_matter_is_found(tmp_path: Path, name: str, content: str, mapping: dict[str, Any], body: str) -> None:
    row = read(tmp_path, content)
    assert (row["status"], rebuild(row), row["body"], codes(row)) == ("accepted", mapping, body, []), name


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("_data/a.yaml", "a: 1\n", "yaml"),
        ("_data/a.yml", "# c\n---\na: 1\n", "yaml"),
        ("_data/b.yaml", "---\na: 1\n---\n", "yaml"),
        ("_data/c.yaml", "a: 1\n...\n# the end\n", "yaml"),
        ("_data/a.json", '{"a": 1}', "json"),
        ("_data/a.toml", "a = 1", "toml"),
    ],
)
def test_a_data_file_is_all_front_matter(tmp_path: Path, name: str, content: str, form: str) -> None:
    row = read(tmp_path, content, name)
    assert (row["status"], row["format"], row["collection"], row["body"]) == ("accepted", form, "data", None)
    assert rebuild(row) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_file"),
        ("\ufeff", "empty_file"),
        ("# A heading\n", "no_front_matter"),
        ("----\na: 1\n----\n", "no_front_matter"),
        ("{% include head.html %}\n", "no_front_matter"),
        ("{{ page.title }}\n", "no_front_matter"),
        ("\n---\na: 1\n---\n", "no_front_matter"),
    ],
)
def test_a_file_without_front_matter_is_skipped(tmp_path: Path, content: str, code: str) -> None:
    row = read(tmp_path, content)
    assert (row["status"], codes(row), row["issues"][0]["severity"]) == ("skipped", [code], "info")
    assert row["raw"] == content.encode()
    assert row["semantic_sha256"] == row["sha256"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)
MERGE_BOMB = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{','.join(['*' + chr(97 + n)] * 9)}]}}\n" for n in range(8)
)
FAT_BOMB = f"a: &a {'x' * 20_000}\nb: [{','.join(['*a'] * 10_000)}]\n"


@pytest.mark.parametrize(
    ("front", "code", "line", "column"),
    [
        ("a: 1\nb: 'never closed\nc: d", "invalid_syntax", 5, 1),
        ("a: b: c", "invalid_syntax", 2, 5),
        ("publishedDateTime: 2021-02-04T---\n category: x: news", "invalid_syntax", 3, 10),
        ("a:\n\tb: 1", "invalid_syntax", 3, 1),
        ("a: x\0y", "invalid_syntax", 2, 5),
        ("é: \x07", "invalid_syntax", 2, 4),
        ('a: "\\ud800"', "invalid_syntax", 2, 7),
        ("a: *nope", "invalid_syntax", 2, 4),
        ("a: 1\n--- b", "several_documents", 3, 1),
        ("- a\n- b", "not_a_mapping", None, None),
        ("just a text", "not_a_mapping", None, None),
        ("null", "not_a_mapping", None, None),
        ("a: !unknown x", "unsupported_tag", 2, 4),
        ("a: 1\nb: !!python/object/apply:os.system [x]", "unsupported_tag", 3, 4),
        ("a: !!python/tuple [x]", "unsupported_tag", 2, 4),
        ("a: 1\n? [b]\n: c", "unsupported_value", 3, 3),
        ("a: &a [*a]", "unsupported_value", 2, 8),
        ("a: !!int x", "unsupported_value", None, None),
        ("a: " + "[" * 2_000 + "]" * 2_000, "too_deep", 2, None),
        ("a: " + "[" * 30_000 + "]" * 30_000, "too_deep", 2, None),
        ("a: !!str x\nb: " + "[" * 30_000, "too_deep", 3, None),
        ("a: " + "[" * 280 + "]" * 280, "too_deep", None, None),
        ("- " * 2_000 + "a", "too_deep", 2, None),
        (BOMB, "alias_bomb", None, None),
        (MERGE_BOMB, "alias_bomb", None, None),
        (FAT_BOMB, "alias_bomb", None, None),
    ],
)
def test_bad_yaml_is_rejected_at_its_place(
    tmp_path: Path, front: str, code: str, line: int | None, column: int | None
) -> None:
    content = f"---\n{front}\n---\nbody\n"
    row = read(tmp_path, content)
    [issue] = row["issues"]
    assert (row["status"], issue["code"], issue["severity"]) == ("rejected", code, "error")
    if line is not None:
        assert issue["line"] == line
    if column is not None:
        assert issue["column"] == column
    assert row["raw"] == content.encode()[: 64 * 1024]
    assert (row["item"], row["related"], row["url_uses"], row["leftovers"], row["body"]) == (None, None, [], [], None)
    assert row["version_id"] == content_id("version", "s", "_news/a.md", row["sha256"])


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("a.md", b"---\na: 1\n", "unclosed_front_matter", (1, 1)),
        ("a.md", b"---", "unclosed_front_matter", (1, 1)),
        ("a.md", b"---\na: 1\nb: \xc3\xa9 \xff\n---\n", "invalid_utf8", (3, 6)),
        ("a.md", b"---\na: " + b"x" * 70_000 + b"\n---\n", "front_matter_too_large", (None, None)),
        ("a.md", b"x" * (1024 * 1024 + 1), "file_too_large", (None, None)),
        ("a.md", b"+++\na = \n+++\n", "invalid_syntax", (2, 5)),
        ("a.md", b'{"a": 1,\n "b": }\nbody', "invalid_syntax", (2, 7)),
        ("a.md", b'{"a": "\\ud800"}\n', "unsupported_value", (None, None)),
        ("a.md", b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "too_deep", (None, None)),
        ("a.toml", b"a = " + b"[" * 20_000, "too_deep", (None, None)),
        ("a.json", b"[1]", "not_a_mapping", (None, None)),
        ("a.yaml", b"a: 1\n---\nb: 2\n", "several_documents", (2, 1)),
        ("a.yaml", b"---\na: 1\n---\nb: 2\n", "several_documents", (3, 1)),
        ("a.yaml", b"a: 1\n...\nb: 2\n", "several_documents", (2, 1)),
    ],
)
def test_a_bad_file_is_rejected(
    tmp_path: Path, name: str, content: bytes, code: str, place: tuple[int | None, int | None]
) -> None:
    row = read(tmp_path, content, name)
    [issue] = row["issues"]
    assert (row["status"], issue["code"], issue["line"], issue["column"]) == ("rejected", code, *place)
    assert row["size_bytes"] == len(content)
    assert row["sha256"] == row["semantic_sha256"]


def test_the_raw_text_of_a_syntax_error_is_the_line(tmp_path: Path) -> None:
    row = read(tmp_path, "---\na: 1\nb: c: " + "d" * 300 + "\n---\n")
    assert row["issues"][0]["raw"] == ("b: c: " + "d" * 300)[:200]


@pytest.mark.parametrize("name", ["missing.md", "folder", "pipe", "nul\0.md"])
def test_what_cannot_be_read_is_rejected(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    row = read_files(tmp_path, "s", [name], RULES, NOW, "r").to_pylist()[0]
    assert (row["status"], codes(row), row["sha256"]) == ("rejected", ["unreadable"], None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\na: 1\n---\n")
    (tmp_path / "a.md").chmod(0)
    assert codes(read_files(tmp_path, "s", ["a.md"], RULES, NOW, "r").to_pylist()[0]) == ["unreadable"]


@pytest.mark.parametrize(("writes", "status"), [(1, "accepted"), (2, "rejected")])
def test_a_file_that_changes_while_it_is_read_is_read_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int, status: str
) -> None:
    (tmp_path / "a.md").write_text("---\na: 1\n---\n")
    left = [writes]
    original = os.read

    def read_beside_a_writer(descriptor: int, size: int) -> bytes:
        content = original(descriptor, size)
        if left[0]:
            left[0] -= 1
            with (tmp_path / "a.md").open("a") as file:
                file.write("more")
        return content

    monkeypatch.setattr(reading_module.os, "read", read_beside_a_writer)
    row = read_files(tmp_path, "s", ["a.md"], RULES, NOW, "r").to_pylist()[0]
    assert row["status"] == status
    assert codes(row) == ([] if status == "accepted" else ["changed_while_read"])


def test_names_of_any_bytes_can_be_read(tmp_path: Path) -> None:
    """Spaces, quotes, newlines, backslashes and bytes that are no UTF-8."""
    names = [b"a b.md", b"a'\"b.md", b"a\nb.md", b"a\\xff.md", b"a\xff.md", "é.md".encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"---\na: 1\n---\n")
    paths = [path_text(name) for name in names]
    table = read_files(tmp_path, "s", paths, RULES, NOW, "r")
    assert table["path"].to_pylist() == paths
    assert set(table["status"].to_pylist()) == {"accepted"}


@pytest.mark.parametrize(
    ("front", "mapping"),
    [
        ("a: NO\nb: 1:30\nc: 012\nd: 1e3\ne: 1_000", {"a": False, "b": 90, "c": 10, "d": "1e3", "e": 1000}),
        ("a: 2021-02-30", {"a": "2021-02-30"}),
        (
            "a: !!str x\nb: 2021-02-30\nc: 2021-02-04T25:00:00Z",
            {"a": "x", "b": "2021-02-30", "c": "2021-02-04T25:00:00Z"},
        ),
        ("a: =\nb: <<", {"a": "=", "b": "<<"}),
        ("a: 1\nA: 2", {"a": 1, "A": 2}),
        ("1: a\ntrue: b\nnull: c\n2021-01-01: d\nx: e", {1: "b", None: "c", date(2021, 1, 1): "d", "x": "e"}),
        ("a: 123456789012345678901234567890", {"a": 123456789012345678901234567890}),
        ("a: .inf\nb: -.inf", {"a": float("inf"), "b": float("-inf")}),
        ("a: !!set {x, y}\nb: !!binary aGk=", {"a": {"x", "y"}, "b": b"hi"}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x", {"a": {"b": 1}, "c": {"b": 1, "d": 2}, "e": {"b": 1}}),
        ("a: &x 1\nb: [*x]", {"a": 1, "b": [1]}),
        ("a: -.5\nb: 2021-02-04t01:02:03z", {"a": "-.5", "b": "2021-02-04t01:02:03z"}),
        ("$a: 1\nb: {$date: x}\nc~d/e: {f: g}", {"$a": 1, "b": {"$date": "x"}, "c~d/e": {"f": "g"}}),
        ("a: []\nb: {}\nc:\nd: ''", {"a": [], "b": {}, "c": None, "d": ""}),
        ("a: x\u2028  y", {"a": "x\u2028y"}),
    ],
)
def test_values_are_kept_exactly(tmp_path: Path, front: str, mapping: dict[Any, Any]) -> None:
    row = read(tmp_path, f"---\n{front}\n---\n")
    assert row["status"] == "accepted"
    rebuilt = rebuild(row)
    assert rebuilt == mapping
    assert {key: type(value) for key, value in rebuilt.items()} == {key: type(value) for key, value in mapping.items()}


def test_nan_is_kept(tmp_path: Path) -> None:
    row = read(tmp_path, "---\na: .nan\nquality: .nan\n---\n")
    assert leftovers(row) == {"/a": '{"$float":"nan"}', "/quality": '{"$float":"nan"}'}
    assert codes(row) == ["wrong_type"]


@pytest.mark.parametrize(
    ("name", "content", "pointer", "line"),
    [
        ("a.md", "---\nx: 0\na: {b: 7}\na: 2\n---\n", "/a", 4),
        ("a.md", "---\nx: [{a: 1}, {a: {b: 7}, a: 2}]\n---\n", "/x/1/a", 2),
        ("a.json", '{"a": {"b": 7}, "a": 2}', "/a", None),
    ],
)
def test_the_last_of_two_equal_keys_counts_and_the_first_is_noted(
    tmp_path: Path, name: str, content: str, pointer: str, line: int | None
) -> None:
    row = read(tmp_path, content, name)
    [issue] = row["issues"]
    assert (row["status"], issue["code"], issue["severity"]) == ("accepted", "duplicate_key", "warning")
    assert (issue["pointer"], issue["line"], issue["raw"]) == (pointer, line, '{"b":7}')


def test_a_merged_key_is_no_duplicate(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "---\na: &x {b: 1}\nc: {<<: *x, b: 2}\n---\n")) == []


def test_one_bad_file_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    """Rows stand in the order of the paths, each with its own notes."""
    names = []
    for number in range(9):
        names.append(f"{number}.md")
        front = ["a: 'x", f"webUrl: https://e.org/{number}\nother: {number}", ""][number % 3]
        (tmp_path / names[-1]).write_text(f"---\n{front}\n---\n" if number % 3 < 2 else "no fence")
    rows = read_files(tmp_path, "s", names, RULES, NOW, "r").to_pylist()
    assert [row["path"] for row in rows] == names
    assert [row["status"] for row in rows] == ["rejected", "accepted", "skipped"] * 3
    assert [[use["raw"] for use in row["url_uses"]] for row in rows[1::3]] == [
        ["https://e.org/1"],
        ["https://e.org/4"],
        ["https://e.org/7"],
    ]
    assert [leftovers(row) for row in rows[1::3]] == [{"/other": "1"}, {"/other": "4"}, {"/other": "7"}]


def test_no_paths_make_no_rows(tmp_path: Path) -> None:
    table = read_files(tmp_path, "s", [], RULES, NOW, "r")
    assert (table.num_rows, table.schema.equals(DOCUMENTS)) == (0, True)

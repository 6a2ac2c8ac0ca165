"""What becomes of a shard of files. The traps of real archives, one by one, are in `tests/traps`."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.content import Rules, rebuild
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


def test_of_a_file_too_large_the_start_is_kept_and_all_of_it_hashed(tmp_path: Path) -> None:
    content = b"x" * (RULES.max_file_bytes + 1)
    row = read(tmp_path, content)
    assert (row["status"], codes(row), row["size_bytes"]) == ("rejected", ["file_too_large"], len(content))
    assert (len(row["raw"]), row["sha256"]) == (64 * 1024, sha256(content).hexdigest())


def test_the_raw_text_of_a_syntax_error_is_the_line(tmp_path: Path) -> None:
    row = read(tmp_path, "---\na: 1\nb: c: " + "d" * 300 + "\n---\n")
    assert row["issues"][0]["raw"] == ("b: c: " + "d" * 300)[:200]


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

"""Where a problem of a value is said to stand, in the file as an editor shows it."""

from pathlib import Path

import pytest

from tests.traps.trap import read_text


@pytest.mark.parametrize(
    ("file", "content", "pointer", "place"),
    [
        ("a.md", "---\nquality: x\n---\n", "/quality", (2, 10)),
        ("a.md", "---  \r\na: |\r\n  b\r\n\r\nquality: x\r\n---\r\n", "/quality", (5, 10)),
        ("a.md", "\ufeff---\nquality: x\n---\n", "/quality", (2, 10)),
        ("a.yaml", "\ufeffquality: x\n", "/quality", (1, 10)),
        ("a.yaml", "# c\n---\n# d\nquality: x\n", "/quality", (4, 10)),
        ("a.md", "---\né: {ü: 1}\nprovider: {é: 1, name: 2}\n---\n", "/provider/name", (3, 24)),
        ("a.md", "---\nrelated:\n- {}\n- images:\n  - {}\n  - width: x\n---\n", "/related/1/images/1/width", (6, 12)),
        ("a.md", "---\nquality: 1\nquality: x\n---\n", "/quality", (3, 10)),
        ("a.md", "---\nb: &b {heat: x}\n<<: *b\n---\n", "/heat", (2, 14)),
        ("a.md", "---\nb: &b {heat: x}\n<<: *b\nheat: 2.5\n---\n", "/heat", (4, 7)),
        ("a.md", "---\ntopics: [a, [b]]\n---\n", "/topics/1", (2, 13)),
        ("a.md", '{\n\t"quality":\t"x"\n}\n', "/quality", (2, 13)),
        ("a.md", '{"related": [{"heat": "\\ud83d\\ude00"}]}', "/related/0/heat", (1, 23)),
        ("a.md", '+++\nquality = "x"\n+++\n', "/quality", (None, None)),
    ],
)
def test_a_value_is_found_at_its_place(
    tmp_path: Path, file: str, content: str, pointer: str, place: tuple[int | None, int | None]
) -> None:
    row = read_text(tmp_path, content.encode(), file)
    found = {
        issue["pointer"]: (issue["line"], issue["column"])
        for issue in row["issues"]
        if issue["code"] != "duplicate_key"
    }
    assert (row["status"], found) == ("accepted", {pointer: place})

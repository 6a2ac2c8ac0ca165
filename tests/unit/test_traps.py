"""Every trap becomes what the table says, and loses nothing on the way."""

from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.content import path_text
from pipeline.content.issues import CODES
from pipeline.content.trees.tree import RAW_BYTES
from pipeline.model.ids import content_id
from tests.traps import TRAPS, Trap, outcome_of
from tests.traps.trap import read_text

ALL = [trap for traps in TRAPS.values() for trap in traps]
TEXTS = [trap for trap in ALL if trap.content is not None]


@pytest.mark.parametrize("trap", ALL, ids=lambda trap: trap.name)
def test_a_trap_becomes_what_the_table_says(trap: Trap) -> None:
    assert outcome_of(trap) == trap.outcome


@pytest.mark.parametrize("trap", [trap for trap in TEXTS if trap.outcome[:8] != "accepted"], ids=lambda trap: trap.name)
def test_a_refused_file_keeps_its_bytes_and_says_where_and_why(trap: Trap, tmp_path: Path) -> None:
    assert trap.content is not None
    row = read_text(tmp_path, trap.content, trap.file)
    [issue] = row["issues"]
    assert CODES[issue["code"]].status == row["status"]
    assert row["raw"] == trap.content[:RAW_BYTES]
    assert row["size_bytes"] == len(trap.content)
    assert row["sha256"] == row["semantic_sha256"] == sha256(trap.content).hexdigest()
    assert row["version_id"] == content_id("version", "s", path_text(trap.file.encode()), row["sha256"])
    assert (row["item"], row["related"], row["url_uses"], row["leftovers"], row["body"]) == (None, None, [], [], None)
    if issue["code"] != "empty_file":
        assert issue["line"] is not None
        assert issue["column"] is not None
        assert issue["raw"] is not None
        assert len(issue["raw"]) <= 200


def test_every_name_is_told_once() -> None:
    names = [trap.name for trap in ALL]
    assert len(names) == len(set(names))

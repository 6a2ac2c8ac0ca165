"""A real archive with every URL of its front matter changed: nothing else is, and the way back leads to every byte."""

import os
from pathlib import Path

import pytest

from pipeline.content import Rules
from pipeline.content.mending import Change, mend
from pipeline.model.text import undo_entities
from pipeline.settings import Content, Source
from tests.front_matter import NOW
from tests.reading import find_files, read_files

CORPUS = Path(os.environ.get("NEWSLEDGER_CORPUS", "/nowhere"))
SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "site"
RULES = Rules.of(Content())


@pytest.mark.parametrize(
    "root",
    [
        pytest.param(root, marks=pytest.mark.skipif("NEWSLEDGER_CORPUS" not in os.environ, reason="no corpus is named"))
        for root in (CORPUS / "microsoft-power-apps/2021-05-26", CORPUS / "microsoft-power-apps/2021-06-03", CORPUS)
    ]
    + [SEEDS],
    ids=["2021-05-26", "2021-06-03", "article", "seeds"],
)
def test_every_url_can_be_changed_and_changed_back(root: Path) -> None:
    source = Source(name="archive", path=root)
    paths = find_files(root, source.include, source.exclude)["path"].to_pylist()
    if root == CORPUS:
        paths = [path for path in paths if "/" not in path]
    rows = read_files(root, source.name, paths, RULES, NOW, "r").to_pylist()
    count = 0
    for row in rows:
        if row["status"] != "accepted":
            continue
        uses = {(use["pointer"], use["raw"]) for use in row["url_uses"]}
        there = [
            Change(*use, f"https://replaced.example/{number}?a=1&b=2,3") for number, use in enumerate(sorted(uses))
        ]
        back = [Change(change.pointer, change.text, undo_entities(change.raw.strip())) for change in there]
        content = (root / row["path"]).read_bytes()
        result = mend(row["path"], content, there, RULES)
        assert result.refused == (), row["path"]
        assert len(result.made) == len(uses)
        assert uses == set() or result.content != content
        assert result.content.count(b"https://replaced.example/") == len(uses)
        again = mend(row["path"], result.content, back, RULES)
        assert (again.content, again.refused) == (content, ()), row["path"]
        count += len(uses)
    assert count > 15

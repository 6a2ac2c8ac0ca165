"""Text as people meant it."""

import re

import pytest

from pipeline.model.text import NEEDS_CLEANING, clean_text


@pytest.mark.parametrize(
    ("raw", "text", "twice"),
    [
        ("plain", "plain", False),
        ("Wind &amp; Wave", "Wind & Wave", False),
        ("Harbour&#8217;s", "Harbour’s", False),
        ("&amp;quot;Tide&amp;quot;", "&quot;Tide&quot;", True),
        ("AT&T; a name", "AT&T; a name", False),
        ("\u00a0 edges \u200b\n", "edges", False),
        ("cafe\u0301", "café", False),
        ("two\nlines", "two\nlines", False),
    ],
)
def test_entities_are_undone_once_and_edges_trimmed(raw: str, text: str, twice: bool) -> None:
    cleaned = clean_text(raw)
    assert (cleaned.text, cleaned.twice_escaped) == (text, twice)
    if not re.search(NEEDS_CLEANING, raw):
        assert text == raw

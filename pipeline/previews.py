"""Rows as a Markdown table that the UI shows: few, and each value cut short, since events are kept for months."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

_CHARACTERS = 60


def markdown_table(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """The rows under their columns' names; what they hold is text, never markup."""
    lines = [[*map(_cell, names)], ["---"] * len(names), *([_cell(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)[: 4 * _CHARACTERS]
    text = textwrap.shorten(text, _CHARACTERS, placeholder="…")
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")

"""A text of front matter as it is written: where it stands, in which style, and how another one is written there."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.model.text import EDGE_SPACE


class CannotWriteError(Exception):
    """The text cannot stand where the other one stood; the message says why."""


@dataclass(frozen=True, slots=True)
class Literal:
    """From `start` to `end` of the front matter, `write` makes what stands there of a new text."""

    start: int
    end: int
    write: Callable[[str], str]


def escaped(text: str, signs: dict[str, str], long_form: str = "\\U{:08x}") -> str:
    """`text` inside double quotes: `signs` as they say, what cannot be seen as an escape of its number."""
    return "".join(
        signs.get(sign) or (sign if sign.isprintable() else _numbered(ord(sign), long_form)) for sign in text
    )


QUOTED = {"\\": "\\\\", '"': '\\"'}
"""What both YAML and TOML escape inside double quotes."""


def double_quoted(text: str) -> str:
    return f'"{escaped(text, QUOTED)}"'


def _numbered(number: int, long_form: str) -> str:
    return f"\\u{number:04x}" if number < 1 << 16 else long_form.format(number)


def line_in_block(source: str, first: int, last: int, raw: str) -> Literal:
    """The one line of a block of text between `first` and `last` that says something: that line is what is written
    anew. Raises CannotWriteError where there are several."""
    core = raw.strip(EDGE_SPACE)
    lines = source[first:last].split("\n")
    spoken = [number for number, line in enumerate(lines) if line.strip(EDGE_SPACE)]
    if len(spoken) != 1 or lines[spoken[0]].strip(EDGE_SPACE) != core:
        raise CannotWriteError("it is a block of several lines")
    line = lines[spoken[0]]
    start = first + sum(len(before) + 1 for before in lines[: spoken[0]]) + line.index(core)

    def write(text: str) -> str:
        inside = text.strip(EDGE_SPACE)
        if not inside.isprintable():
            raise CannotWriteError("a sign of it cannot stand in a block of text")
        return inside

    return Literal(start, start + len(core), write)

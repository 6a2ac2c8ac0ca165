"""Where the texts of TOML stand, and how others are written there.

Python's parser names no places, so it is asked: each string literal of a wanted value is exchanged for a mark of its
own, and the parser says at which pointer it finds that mark.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import partial
from typing import Any

from pipeline.content.mending.literals import QUOTED, CannotWriteError, Literal, escaped, line_in_block
from pipeline.model.pointers import step

_LITERAL = re.compile(
    r"#[^\n]*"
    r'|"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def literals_of(source: str, wanted: Iterable[tuple[str, str]]) -> dict[str, Literal | CannotWriteError]:
    """The literal at each pointer of `wanted` (pointer, value), or why it cannot be written anew."""
    raws = dict(wanted)
    literals = [
        found for found in _LITERAL.finditer(source) if found[0][0] != "#" and _value(found[0]) in raws.values()
    ]
    marked, at = [], 0
    for number, literal in enumerate(literals):
        marked += [source[at : literal.start()], f'"\\u0000{number}"']
        at = literal.end()
    places = _marks(tomllib.loads("".join([*marked, source[at:]])), "")
    found: dict[str, Literal | CannotWriteError] = {}
    for pointer, raw in raws.items():
        place = places.get(pointer)
        if place is None:
            found[pointer] = CannotWriteError("no text of that value stands there")
            continue
        try:
            found[pointer] = _literal(source, literals[place], raw)
        except CannotWriteError as error:
            found[pointer] = error
    return found


def _value(literal: str) -> str | None:
    try:
        value = tomllib.loads(f"v = {literal}")["v"]
    except tomllib.TOMLDecodeError:
        return None
    return value if isinstance(value, str) else None


def _marks(value: Any, pointer: str) -> dict[str, int]:
    if isinstance(value, str):
        return {pointer: int(value[1:])} if value[:1] == "\0" and value[1:].isdigit() else {}
    if not isinstance(value, (dict, list)):
        return {}
    children = value.items() if isinstance(value, dict) else enumerate(value)
    return {at: number for key, child in children for at, number in _marks(child, pointer + step(key)).items()}


def _literal(source: str, found: re.Match[str], raw: str) -> Literal:
    text = found[0]
    if text.startswith(('"""', "'''")):
        line = line_in_block(source, found.start() + 3, found.end() - 3, raw)
        return Literal(line.start, line.end, partial(_in_block, write=line.write))
    return Literal(found.start(), found.end(), _basic if text[0] == '"' else _literally)


def _basic(text: str) -> str:
    return f'"{escaped(text, QUOTED)}"'


def _literally(text: str) -> str:
    return f"'{text}'" if text.isprintable() and "'" not in text else _basic(text)


def _in_block(text: str, write: Any) -> str:
    written: str = write(text)
    if any(sign in written for sign in "\\\"'"):
        raise CannotWriteError("a sign of it cannot stand in a block of text")
    return written

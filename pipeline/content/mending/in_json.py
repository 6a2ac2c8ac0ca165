"""Where the texts of JSON stand, and how others are written there. The strings are scanned by Python's own decoder."""

import json
import re
from collections.abc import Iterable
from functools import partial
from json.decoder import scanstring  # type: ignore[attr-defined]

from pipeline.content.mending.literals import CannotWriteError, Literal
from pipeline.model.pointers import step

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def literals_of(source: str, wanted: Iterable[tuple[str, str]]) -> dict[str, Literal | CannotWriteError]:
    """The literal at each pointer of `wanted` (pointer, value), or why it cannot be written anew."""
    places = _Strings(source).places
    found: dict[str, Literal | CannotWriteError] = {}
    for pointer, _ in wanted:
        if pointer in places:
            start, end = places[pointer]
            found[pointer] = Literal(start, end, partial(_written, old=source[start:end]))
        else:
            found[pointer] = CannotWriteError("no text stands there")
    return found


def _written(text: str, old: str) -> str:
    """Slashes and letters beyond ASCII are escaped where the old text had them so."""
    written = json.dumps(text, ensure_ascii=old.isascii())
    return written.replace("/", "\\/") if "\\/" in old else written


class _Strings:
    """Every string that is a value: its pointer, start and end; of a key that stands twice, the last."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.places: dict[str, tuple[int, int]] = {}
        self._value(self._skip(0), "")

    def _value(self, at: int, pointer: str) -> int:
        sign = self._source[at]
        if sign == '"':
            _, end = scanstring(self._source, at + 1)
            self.places[pointer] = at, end
            return int(end)
        if sign not in "[{":
            return _DECODER.raw_decode(self._source, at)[1]
        closing = "]" if sign == "[" else "}"
        at = self._skip(at + 1)
        position = 0
        while self._source[at] != closing:
            key: object = position
            if sign == "{":
                key, at = scanstring(self._source, at + 1)
                at = self._skip(self._skip(at) + 1)
            at = self._skip(self._value(at, pointer + step(key)))
            if self._source[at] == ",":
                at = self._skip(at + 1)
            position += 1
        return at + 1

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self._source, at)
        return space.end() if space else at

"""Where the texts of YAML stand, and how others are written there.

libyaml says both: the composer which node a pointer leads to, the scanner where that node's own text begins and ends,
behind an anchor or a tag. A plain text that could not be plain is put into double quotes; a block of one line stays a
block.
"""

from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from typing import Any

import yaml

from pipeline.content.mending.literals import CannotWriteError, Literal, double_quoted, line_in_block
from pipeline.content.nodes import Nodes
from pipeline.content.yaml_reader import Loader

_Found = dict[str, Literal | CannotWriteError]


def literals_of(source: str, wanted: Iterable[tuple[str, str]]) -> _Found:
    """The literal at each pointer of `wanted` (pointer, value), or why it cannot be written anew."""
    source_at = _Unfolded(source)
    loader = Loader(source.replace("\r\n", "\n"))
    try:
        nodes = Nodes(loader, loader.get_single_node())
        found = {(pointer, raw): nodes.at(pointer) for pointer, raw in wanted}
    finally:
        loader.dispose()
    tokens = _scalar_tokens(source.replace("\r\n", "\n"))
    literals: _Found = {}
    for (pointer, raw), node in found.items():
        token = tokens.get(node.end_mark.index) if isinstance(node, yaml.ScalarNode) else None
        if token is None or token[0].value != raw:
            literals[pointer] = CannotWriteError("no text of that value stands there")
            continue
        start, end = source_at(token[0].start_mark.index), source_at(token[0].end_mark.index)
        try:
            literals[pointer] = _literal(source, start, end, token[1], raw)
        except CannotWriteError as error:
            literals[pointer] = error
    return literals


class _Unfolded:
    """From a place in the text with Unix line endings to the place in the text as it is."""

    def __init__(self, source: str) -> None:
        self._ends: list[int] = []
        at = source.find("\r\n")
        while at >= 0:
            self._ends.append(at - len(self._ends))
            at = source.find("\r\n", at + 2)

    def __call__(self, index: int) -> int:
        return index + bisect_left(self._ends, index)


def _scalar_tokens(text: str) -> dict[int, tuple[Any, bool]]:
    """Each scalar by where it ends, and whether it stands inside brackets."""
    tokens: dict[int, tuple[Any, bool]] = {}
    depth = 0
    for token in yaml.scan(text, Loader=Loader):
        match token:
            case yaml.FlowSequenceStartToken() | yaml.FlowMappingStartToken():
                depth += 1
            case yaml.FlowSequenceEndToken() | yaml.FlowMappingEndToken():
                depth -= 1
            case yaml.ScalarToken():
                tokens[token.end_mark.index] = token, depth > 0
    return tokens


def _literal(source: str, start: int, end: int, in_flow: bool, raw: str) -> Literal:
    match source[start]:
        case '"':
            return Literal(start, end, double_quoted)
        case "'":
            return Literal(start, end, _single_quoted)
        case "|" | ">":
            return line_in_block(source, source.index("\n", start) + 1, end, raw)
        case _:
            return Literal(start, end, partial(_plain, in_flow=in_flow))


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else double_quoted(text)


def _plain(text: str, in_flow: bool) -> str:
    surroundings = ("[{}]", "{{k: {}}}") if in_flow else ("- {}", "k: {}")
    return text if text.isprintable() and all(_is_kept(text, around) for around in surroundings) else _quoted(text)


def _quoted(text: str) -> str:
    return double_quoted(text) if not text.isprintable() or "'" in text else f"'{text}'"


def _is_kept(text: str, around: str) -> bool:
    try:
        value = yaml.load(around.format(text), Loader)  # noqa: S506 (a safe loader)
    except Exception:  # noqa: BLE001  whatever the reader says of it: it cannot be plain
        return False
    return bool(value in ([text], {"k": text}))

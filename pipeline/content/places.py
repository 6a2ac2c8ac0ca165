"""Where in a file a problem stands that was found in its values, which have no places of their own.

Only a file with such a problem pays: its text is read a second time, into nodes that know their lines. JSON is read as
the YAML that it nearly always is. A place that cannot be told for certain, as in TOML, stays empty.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import yaml

from pipeline.content.fence import FrontMatter
from pipeline.content.issues import Issue, line_of, shorten
from pipeline.content.nodes import Nodes
from pipeline.content.values import to_json
from pipeline.content.yaml_reader import Loader

_MOST_LEVELS = 254  # of canonical JSON
_Place = tuple[int, int]

# Blank lines, comments, directives and the document's own fence stand before a value.
_BEFORE_VALUE = re.compile(rb"(?:[ \t\r]*(?:#[^\n]*)?\n|%[^\n]*\n|---[ \t]*\n)*(?:---[ \t]+)?[ \t]*")
_BRACKET = re.compile(rb"""\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[{]|[\]}]""", re.DOTALL)
_JSON_BRACKET = re.compile(rb'"(?:\\.|[^"\\])*"|[\[{]|[\]}]', re.DOTALL)
_HALF_PAIR = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][c-fC-F]..)|.)",
    re.DOTALL,
)
_PAIR = re.compile(rb"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|.)", re.DOTALL)
_MANY_DIGITS = re.compile(rb"\d[\d_]{4300,}")


def with_places(issues: Iterable[Issue], front: FrontMatter) -> list[Issue]:
    """`issues` of an accepted file, those without a place with that of the value they point at."""
    issues = list(issues)
    missing = {issue.pointer for issue in issues if issue.line is None}
    if not missing or front.format == "toml":
        return issues
    places = _places_of(missing, front)
    return [
        issue if issue.line is not None or issue.pointer not in places else _at(issue, places[issue.pointer])
        for issue in issues
    ]


def with_place(issue: Issue, front: FrontMatter) -> Issue:
    """The issue for which a file was refused, with its place and its line where they are lacking."""
    text = _unix(front.text)
    if issue.line is None:
        place = _refused_at(issue.code, text, front)
        if place is None:
            return issue
        issue = _at(issue, (place[0] + front.lines_before, place[1]))
    if issue.raw is None and issue.line is not None:
        return replace(issue, raw=shorten(line_of(text, issue.line - front.lines_before)))
    return issue


def _at(issue: Issue, place: _Place) -> Issue:
    return replace(issue, line=place[0], column=place[1])


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _places_of(pointers: set[str], front: FrontMatter) -> dict[str, _Place]:
    text = _unix(front.text)
    if front.format == "json":  # libyaml knows no surrogate pairs; a text as long does for the places
        text = _PAIR.sub(lambda escape: b"x" * len(escape[0]) if escape[1] else escape[0], text)
    loader = Loader(text)
    try:
        nodes = Nodes(loader, loader.get_single_node())
        marks = {pointer: node.start_mark for pointer in pointers if (node := nodes.at(pointer))}
    except yaml.YAMLError:  # JSON that is no YAML
        return {}
    finally:
        loader.dispose()
    return {pointer: (mark.line + 1 + front.lines_before, mark.column + 1) for pointer, mark in marks.items()}


def _refused_at(code: str, text: bytes, front: FrontMatter) -> _Place | None:
    if code == "not_a_mapping":
        start = _BEFORE_VALUE.match(text)
        return _line_and_column(text, start.end() if start else 0)
    if code == "too_deep":
        return _deep_event(text) if front.format == "yaml" else _deep_bracket(text, front.format)
    if code == "unsupported_value":
        if front.format == "yaml":
            return _unreadable_scalar(text)
        digits = _MANY_DIGITS.search(text)
        if digits:
            return _line_and_column(text, digits.start())
        return _half_pair(text) if front.format == "json" else None
    return None


def _line_and_column(text: bytes, at: int) -> _Place:
    start = text.rfind(b"\n", 0, at) + 1
    return text.count(b"\n", 0, at) + 1, len(text[start:at].decode("utf-8", "replace")) + 1


def _deep_event(text: bytes) -> _Place | None:
    levels = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            levels += 1
            if levels > _MOST_LEVELS and event.start_mark:
                return event.start_mark.line + 1, event.start_mark.column + 1
        elif isinstance(event, yaml.CollectionEndEvent):
            levels -= 1
    return None


def _deep_bracket(text: bytes, form: str) -> _Place | None:
    levels = 0 if form == "json" else 1  # TOML's outermost mapping has no brackets
    for sign in (_JSON_BRACKET if form == "json" else _BRACKET).finditer(text):
        if sign[0] in (b"[", b"{"):
            levels += 1
            if levels > _MOST_LEVELS:
                return _line_and_column(text, sign.start())
        elif sign[0] in (b"]", b"}"):
            levels -= 1
    return None


def _half_pair(text: bytes) -> _Place | None:
    """The first escape of half a surrogate pair."""
    for escape in _HALF_PAIR.finditer(text):
        is_low = escape[1] is not None
        is_lone_high = len(escape[0]) == len(b"\\ud800")
        if is_low or is_lone_high:
            return _line_and_column(text, escape.start())
    return None


def _unreadable_scalar(text: bytes) -> _Place | None:
    """The first value that PyYAML cannot make of its text, or that JSON cannot hold.

    The text is bounded: the reader came to construct it.
    """
    loader = Loader(text)
    try:
        pending: list[Any] = [loader.get_single_node()]
        visited: set[int] = set()
        while pending:
            node = pending.pop()
            if id(node) in visited:
                continue
            visited.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                try:
                    to_json(loader.construct_object(node))
                except Exception:  # noqa: BLE001  whatever stopped the reader
                    return node.start_mark.line + 1, node.start_mark.column + 1
            elif isinstance(node, yaml.MappingNode):
                pending.extend(part for pair in reversed(node.value) for part in reversed(pair))
            elif isinstance(node, yaml.SequenceNode):
                pending.extend(reversed(node.value))
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()
    return None

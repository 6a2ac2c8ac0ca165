"""The text of front matter to the mapping it stands for, in whichever language it is written."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.content.fence import FrontMatter, is_blank
from pipeline.content.issues import Issue, Refused, line_of, refuse
from pipeline.content.meaning import Rules, divide
from pipeline.content.plain import canonical_plain, is_plain, keys_are_unique
from pipeline.content.values import canonical, to_json
from pipeline.content.yaml_reader import read_unchecked_yaml, read_yaml
from pipeline.model.pointers import step

Mapping = dict[Any, Any]
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The mapping of the front matter, what to warn of, and, as canonical JSON, what it means without its volatile
    keys."""

    mapping: Mapping
    issues: list[Issue]
    lasting: bytes


def parse(front: FrontMatter, rules: Rules) -> Parsed:
    """What `front` holds. Refuses text that is no mapping."""
    text = front.text.replace(b"\r\n", b"\n") if b"\r" in front.text else front.text
    try:
        if front.format == "yaml":
            if plain := _read_plain(text, rules):
                return plain
            value, issues = read_yaml(text, front.lines_before)
        else:
            value, issues = (_read_toml if front.format == "toml" else _read_json)(text)
    except RecursionError:
        raise refuse("too_deep", "the front matter is nested too deeply") from None
    except Refused as refused:
        raise refused.below(front.lines_before) from None
    if value is None and front.format == "yaml" and is_blank(text):
        value = {}  # two fences with nothing between them are front matter without keys, as for Jekyll
    if not isinstance(value, dict):
        kind = {list: "a list", type(None): "null"}.get(type(value), f"a single value ({type(value).__name__})")
        raise refuse("not_a_mapping", f"the front matter is {kind}, not a mapping of keys to values")
    lasting, _ = divide(value, rules)
    return Parsed(value, issues, canonical(lasting))


def _read_plain(text: bytes, rules: Rules) -> Parsed | None:
    """The same of YAML, where a cheap look proves what otherwise takes a careful one; None where it does not."""
    mapping = read_unchecked_yaml(text) if is_plain(text) else None
    if type(mapping) is not dict:
        return None
    lasting, volatile = divide(mapping, rules)
    written = canonical_plain(lasting)
    return Parsed(mapping, [], written[0]) if written and keys_are_unique(text, volatile, *written) else None


def _read_toml(text: bytes) -> tuple[Any, list[Issue]]:
    try:
        return tomllib.loads(text.decode()), []
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else (text.count(b"\n") + 1, None)
        message = _TOML_PLACE.sub("", str(error))
        raise refuse("invalid_syntax", f"TOML: {message}", line, column, line_of(text, line)) from None
    except ValueError as error:  # an integer of too many digits
        raise refuse("unsupported_value", f"TOML: {error}") from None


def _read_json(text: bytes) -> tuple[Any, list[Issue]]:
    repeated: list[tuple[dict[str, Any], str, Any]] = []

    def to_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in pairs:
            if key in mapping:
                repeated.append((mapping, key, mapping[key]))
            mapping[key] = value
        return mapping

    try:
        value = json.loads(text.decode(), object_pairs_hook=to_mapping)
    except json.JSONDecodeError as error:
        raise refuse(
            "invalid_syntax", f"JSON: {error.msg}", error.lineno, error.colno, line_of(text, error.lineno)
        ) from None
    except ValueError as error:  # an integer of too many digits
        raise refuse("unsupported_value", f"JSON: {error}") from None
    if not repeated:
        return value, []
    pointers = {id(mapping): pointer for pointer, mapping in _mappings(value)}
    return value, [
        Issue(
            "duplicate_key",
            f"the key {key!r} stands twice; the last value counts",
            pointers[id(mapping)] + step(key),
            raw=to_json(first),
        )
        for mapping, key, first in repeated
        if id(mapping) in pointers
    ]


def _mappings(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    pending = [("", value)]
    while pending:
        pointer, value = pending.pop()
        if isinstance(value, dict):
            yield pointer, value
            pending.extend((pointer + step(key), element) for key, element in value.items())
        elif isinstance(value, list):
            pending.extend((f"{pointer}/{position}", element) for position, element in enumerate(value))

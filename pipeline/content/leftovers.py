"""What the typed columns of a row alone would not rebuild, and the rebuilding.

A leftover is a JSON pointer into the front matter and the value that stands there: a key without a column, a value of
another type than its column's, an explicit null where no key at all would read back the same. Where a mapping has keys
that are no strings, no pointer can name them, and the mapping as a whole is the leftover. Leftovers are applied in
order, each over what the typed columns gave.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from pipeline.content.values import from_json

_PRECISION = "publishedPrecision"
_TIME = "publishedDateTime"


def rebuild(row: Mapping[str, Any]) -> dict[Any, Any]:
    """The parsed mapping, exactly, from item, related and leftovers of one accepted row of `Table.to_pylist`."""
    mapping: dict[Any, Any] = _item(row["item"] or {})
    if row["related"] is not None:
        mapping["related"] = [None if item is None else _item(item) for item in row["related"]]
    for leftover in row["leftovers"] or ():
        value = from_json(leftover["value"])
        if not leftover["pointer"]:
            mapping = value
        else:
            _put(mapping, leftover["pointer"], value)
    return mapping


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    mapping = _present(item, without=_PRECISION)
    if _TIME in mapping:
        mapping[_TIME] = mapping[_TIME].astimezone(UTC)
    if "images" in mapping:
        mapping["images"] = _images(mapping["images"])
    if "provider" in mapping:
        provider = _present(mapping["provider"])
        if "images" in provider:
            provider["images"] = _images(provider["images"])
        mapping["provider"] = provider
    return mapping


def _images(images: Iterable[Mapping[str, Any] | None]) -> list[dict[str, Any] | None]:
    return [None if image is None else _present(image) for image in images]


def _present(struct: Mapping[str, Any], without: str = "") -> dict[str, Any]:
    return {key: value for key, value in struct.items() if value is not None and key != without}


def _put(mapping: dict[Any, Any], pointer: str, value: Any) -> None:
    place: Any = mapping
    *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value

"""Parsed values as canonical JSON, and back, exactly.

Keys are sorted, lists keep their order, the text is UTF-8 as orjson writes it: one value, one text. What JSON lacks is
an object of one key that begins with a dollar sign: $date, $datetime, $time, $float (nan, inf, -inf), $binary (base64),
$set, and $map (a list of pairs) for a mapping with keys that are no strings or begin with a dollar sign themselves.
Integers have any size; 1, 1.0 and true stay apart.
"""

import base64
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import orjson

from pipeline.content.issues import refuse

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
_INTEGERS = range(-(1 << 63), 1 << 64)  # what orjson writes itself


def to_json(value: Any) -> str:
    """`value` as canonical JSON. Refuses what is nested deeper than 254 levels or is no Unicode text."""
    return canonical(value).decode()


def from_json(text: str | bytes) -> Any:
    """The value that `to_json` wrote as `text`."""
    return json.loads(text, object_hook=_untag)


def canonical(value: Any) -> bytes:
    """The bytes of `to_json`.

    orjson alone writes plain values and times. It silently writes nan and inf as null and takes a key for a tag, so a
    text in which either could stand is written again the careful way, to the same text where neither did.
    """
    tags = 0

    def count_tag(value: Any) -> Any:
        nonlocal tags
        tags += 1
        return tag(value)

    try:
        text = orjson.dumps(value, default=count_tag, option=OPTIONS)
        if b"null" not in text and (text.count(b"$") == tags or text.count(b'"$') == tags):
            return text
    except TypeError:  # keys that are no strings, integers over 64 bits; or no JSON at all, as the next attempt says
        pass
    try:
        return orjson.dumps(_plain(value), option=OPTIONS)
    except RecursionError:
        raise refuse("too_deep", "the front matter is nested too deeply") from None
    except (TypeError, ValueError) as error:
        if "ecursion" in str(error):
            raise refuse("too_deep", "the front matter is nested deeper than 254 levels") from None
        raise refuse("unsupported_value", f"the front matter holds a value that cannot be kept: {error}") from None


def _plain(value: Any) -> Any:
    """`value` in the types that orjson writes faithfully."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return value if value in _INTEGERS else orjson.Fragment(str(value))
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind is list:
        return [_plain(element) for element in value]
    if kind is dict:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: _plain(element) for key, element in value.items()}
        return {"$map": sorted(([_plain(key), _plain(element)] for key, element in value.items()), key=_first)}
    return tag(value)


def _first(pair: list[Any]) -> bytes:
    return orjson.dumps(pair[0], option=OPTIONS)


def tag(value: Any) -> Any:
    """What stands for a value that JSON lacks."""
    kind = type(value)
    if kind is datetime:
        # The same text, of UTC in half the time: a file has one for each of its articles.
        return {"$datetime": orjson.dumps(value)[1:-1].decode() if value.tzinfo is UTC else value.isoformat()}
    if kind is date:
        return {"$date": value.isoformat()}
    if kind is time:
        return {"$time": value.isoformat()}
    if kind is bytes:
        return {"$binary": base64.b64encode(value).decode()}
    if kind is set:
        return {
            "$set": sorted(
                (_plain(element) for element in value), key=lambda plain: orjson.dumps(plain, option=OPTIONS)
            )
        }
    raise TypeError(f"a {kind.__name__} has no place in front matter")


_READERS: dict[str, Callable[[Any], Any]] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$float": float,
    "$binary": base64.b64decode,
    "$set": set,
    "$map": dict,
}


def _untag(mapping: dict[str, Any]) -> Any:
    if len(mapping) == 1:
        [(key, value)] = mapping.items()
        reader = _READERS.get(key)
        if reader:
            return reader(value)
    return mapping

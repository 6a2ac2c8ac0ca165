"""Front matter written so plainly that a cheap look proves what otherwise takes a careful one.

Most YAML has no dollar sign, no numeric escape and no value that JSON lacks but times. Its canonical JSON needs no
second look then, but for what orjson writes as null; and every colon of the text is that of a key or stands in a value:
where both texts have as many, no key stood twice (the parser's own check costs twice as much).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from pipeline.content.values import OPTIONS, tag


def is_plain(text: bytes) -> bool:
    """Whether the YAML text has no dollar sign, and no escape that could make another sign, a colon among them."""
    if b"$" in text:
        return False
    at = text.find(b"\\")
    while at >= 0:
        if text[at + 1 : at + 2] in (b"x", b"u", b"U"):
            return False
        at = text.find(b"\\", at + 2)
    return True


def canonical_plain(mapping: Mapping[str, Any]) -> tuple[bytes, int] | None:
    """The canonical JSON of a mapping from plain text, and the most colons that its times may have there beyond those
    they had in the text; None where that is not known so cheaply."""
    beyond = 0

    def tagged(value: Any) -> Any:
        nonlocal beyond
        if type(value) is datetime:
            beyond += 2  # one of the tag, one of the offset, which may have been written Z
            if value.tzinfo is UTC:
                return orjson.Fragment(b'{"$datetime":' + orjson.dumps(value) + b"}")
        elif type(value) is date:
            beyond += 1
        return tag(value)

    try:
        written = orjson.dumps(mapping, default=tagged, option=OPTIONS)
    except TypeError:  # keys that are no strings, integers over 64 bits
        return None
    return None if b"null" in written else (written, beyond)  # which may be a nan


def keys_are_unique(text: bytes, volatile: Mapping[str, Any], written: bytes, beyond: int) -> bool:
    """Whether the plain YAML `text` cannot have said a key twice, if it means `volatile` and what is `written`.

    True is proof; False means that only a parser can tell (a colon in a comment, a time in another form).
    """
    colons = text.count(b":")
    for value in volatile.values():
        if type(value) is not str:
            return False
        colons -= 1 + value.count(":")
    return colons == written.count(b":") - beyond

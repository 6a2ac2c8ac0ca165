"""Which values the typed columns hold exactly, and what is noted of those that they do not.

A misfit is never guessed at: its column is null, or the instant that a time written in another way stands for; the
value itself is a leftover.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.content.notes import Notes
from pipeline.model.pointers import step

TEXT_KEYS = ("category", "title", "excerpt", "type", "featuredContent")
URL_ROLES = {"webUrl": "web", "originalUrl": "original", "ampWebUrl": "amp", "cdnAmpWebUrl": "cdn_amp"}
_INT64 = range(-(1 << 63), 1 << 63)
_INT32 = range(-(1 << 31), 1 << 31)
MIDNIGHT = time()
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[-+]\d\d(?::?\d\d)?)?)?")
_EXPECTED = (
    dict.fromkeys(("images", "topics"), "a list")
    | dict.fromkeys((*TEXT_KEYS, *URL_ROLES, "url", "name", "domain"), "a text")
    | dict.fromkeys(("quality", "heat", "width", "height"), "an integer")
    | dict.fromkeys(("published", "isCached"), "true or false")
    | {"provider": "a mapping", "publishedDateTime": "a time"}
)


@dataclass(frozen=True, slots=True)
class Apart:
    """Keys of a main item treated apart: `noted` elsewhere altogether; `volatile`, whose URLs do not count."""

    noted: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()


NOTHING_APART = Apart()


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_int64(value: Any) -> bool:
    return type(value) is int and value in _INT64


def _is_int32(value: Any) -> bool:
    return type(value) is int and value in _INT32


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_list(value: Any) -> bool:
    return type(value) is list


def _is_utc(value: Any) -> bool:
    return type(value) is datetime and value.tzinfo is UTC


_FITS: dict[str, Callable[[Any], bool]] = (
    dict.fromkeys((*TEXT_KEYS, *URL_ROLES, "url", "name", "domain"), _is_text)
    | dict.fromkeys(("quality", "heat"), _is_int64)
    | dict.fromkeys(("width", "height"), _is_int32)
    | dict.fromkeys(("published", "isCached"), _is_bool)
    | dict.fromkeys(("images", "topics"), _is_list)
    | {"provider": lambda value: type(value) is dict, "publishedDateTime": _is_utc}
)
"""Whether the column of a key holds the value exactly (a list or mapping: up to the leftovers of its parts)."""


def note_rest(
    mapping: Mapping[Any, Any], at: str, notes: Notes, typed: Collection[str], apart: Apart = NOTHING_APART
) -> None:
    """Notes what the columns of the `typed` keys do not hold of `mapping`: leftovers, what is wrong, further URLs."""
    has_pointers = all(type(key) is str for key in mapping)
    if not has_pointers:
        notes.leftover(at, mapping)
    for key, value in mapping.items():
        if key in apart.noted:
            continue
        place = at + step(key)
        if key in typed:
            if _FITS[key](value):
                continue
            if value is not None:
                _note_misfit(key, value, place, notes)
        if has_pointers:
            notes.leftover(place, value)
        if key not in apart.volatile:
            notes.other_urls(place, value)


def _note_misfit(key: str, value: Any, place: str, notes: Notes) -> None:
    if key == "publishedDateTime" and isinstance(value, date | str):  # a datetime is a date
        if read_instant(value)[0] is None:
            code = "out_of_range" if isinstance(value, date) else "invalid_date"
            notes.issue(code, place, value, "no time of the calendar can be read from it")
    elif type(value) is int and _EXPECTED[key] == "an integer":
        notes.issue("out_of_range", place, value, "the integer has too many bits for its column")
    else:
        notes.issue("wrong_type", place, value, f"{key} should be {_EXPECTED[key]}")


def read_instant(value: Any) -> tuple[datetime | None, str | None]:
    """The instant that `value` stands for, and how precisely; nothing where it stands for none."""
    try:
        if type(value) is str:
            if not _ISO.fullmatch(value):
                return None, None
            value = (
                datetime.fromisoformat(value.upper()) if len(value) > len("2021-02-30") else date.fromisoformat(value)
            )
        if type(value) is datetime:
            if value.tzinfo is None:
                return value.replace(tzinfo=UTC), "naive"
            return value.astimezone(UTC), "midnight" if value.time() == MIDNIGHT else "second"
        if type(value) is date:
            return datetime(value.year, value.month, value.day, tzinfo=UTC), "day"
    except (ValueError, OverflowError):  # 2021-02-30; year 1 east of Greenwich
        pass
    return None, None

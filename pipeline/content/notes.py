"""What is noted of each file beside its typed columns: URL uses, leftovers, issues. Flat lists over a whole shard.

Each list of a row is the stretch between two offsets, as Arrow's list arrays have it, so that no object a URL is made.
"""

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from pipeline.content.fence import FrontMatter
from pipeline.content.issues import Issue, shorten
from pipeline.content.places import with_places
from pipeline.content.values import to_json
from pipeline.model.logs import ISSUE, LEFTOVER, URL_USE
from pipeline.model.pointers import step
from pipeline.model.text import EDGE_SPACE

_ABSOLUTE = re.compile(r"https?://[^\s/?#][^\s]*", re.IGNORECASE)
MAYBE_BLANK = frozenset(("", *EDGE_SPACE))
"""The first signs of a text that may be blank."""
MAYBE_URL = frozenset(("h", "H", *EDGE_SPACE))
"""The first signs of a text that may be a URL: a cheap look before the close one."""


class Notes:
    """The notes of a shard's files, one file after the other; `end_row` closes a file's."""

    def __init__(self) -> None:
        self.use_pointers: list[str] = []
        self.use_roles: list[str] = []
        self.use_texts: list[str] = []
        self._leftover_pointers: list[str] = []
        self._leftover_values: list[str] = []
        self._issues: list[Issue] = []
        self._use_ends = [0]
        self._leftover_ends = [0]
        self._issue_ends = [0]

    def end_row(self) -> None:
        self._use_ends.append(len(self.use_texts))
        self._leftover_ends.append(len(self._leftover_values))
        self._issue_ends.append(len(self._issues))

    def use(self, pointer: str, role: str, text: str) -> None:
        """A URL as written, absolute or relative; a blank text is none."""
        if text.strip(EDGE_SPACE):
            self.use_pointers.append(pointer)
            self.use_roles.append(role)
            self.use_texts.append(text)

    def leftover(self, pointer: str, value: Any) -> None:
        self._leftover_pointers.append(pointer)
        self._leftover_values.append(to_json(value))

    def issue(self, code: str, pointer: str, value: Any, message: str) -> None:
        self._issues.append(Issue(code, message, pointer, raw=shorten(to_json(value))))

    def issues(self, issues: Iterable[Issue]) -> None:
        self._issues.extend(issues)

    def place_issues(self, front: FrontMatter) -> None:
        """Gives the issues of the row that is open their places in the file."""
        start = self._issue_ends[-1]
        if len(self._issues) > start:
            self._issues[start:] = with_places(self._issues[start:], front)

    def other_urls(self, pointer: str, value: Any) -> None:
        """Notes each string in `value`, at any depth, that as a whole is an absolute URL."""
        pending = [(pointer, value)]
        while pending:
            place, value = pending.pop()
            kind = type(value)
            if kind is str:
                if value[:1] in MAYBE_URL and _ABSOLUTE.fullmatch(value.strip(EDGE_SPACE)):
                    self.use(place, "other", value)
            elif kind is dict:
                pending.extend((place + step(key), element) for key, element in reversed(value.items()))
            elif kind is list:
                pending.extend((f"{place}/{index}", value[index]) for index in range(len(value) - 1, -1, -1))
            elif kind is set:
                pending.extend((place + step(element), element) for element in sorted(value, key=to_json, reverse=True))

    def url_uses_array(self) -> pa.ListArray:
        return _lists(self._use_ends, URL_USE, [self.use_pointers, self.use_roles, self.use_texts])

    def leftovers_array(self) -> pa.ListArray:
        return _lists(self._leftover_ends, LEFTOVER, [self._leftover_pointers, self._leftover_values])

    def issues_array(self) -> pa.ListArray:
        columns = [[getattr(issue, field.name) for issue in self._issues] for field in ISSUE]
        return _lists(self._issue_ends, ISSUE, columns)


def _lists(ends: list[int], struct: pa.StructType, columns: list[list[Any]]) -> pa.ListArray:
    arrays = [pa.array(column, field.type) for column, field in zip(columns, struct, strict=True)]
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.StructArray.from_arrays(arrays, fields=list(struct)))

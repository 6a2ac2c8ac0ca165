"""What can be wrong with a file: a closed list of codes, each with a severity and, where known, a place.

A `Refused` file is rejected or skipped; issues of an accepted file are warnings. Lines and columns are those of the
file, counted from 1.
"""

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "info"]

SEVERITIES: dict[str, Severity] = {
    # The file is not accepted.
    "unreadable": "error",
    "changed_while_read": "error",
    "file_too_large": "error",
    "invalid_utf8": "error",
    "unclosed_front_matter": "error",
    "front_matter_too_large": "error",
    "invalid_syntax": "error",
    "several_documents": "error",
    "not_a_mapping": "error",
    "unsupported_tag": "error",
    "unsupported_value": "error",
    "too_deep": "error",
    "alias_bomb": "error",
    "empty_file": "info",
    "no_front_matter": "info",
    # The file is accepted.
    "duplicate_key": "warning",
    "wrong_type": "warning",
    "invalid_date": "warning",
    "out_of_range": "warning",
    "related_not_a_list": "warning",
    "related_not_a_mapping": "info",
}

SKIPPED = frozenset({"empty_file", "no_front_matter"})
_RAW_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of one file. `pointer` is a JSON pointer into the front matter; "" is the file as a whole."""

    code: str
    message: str
    pointer: str = ""
    line: int | None = None
    column: int | None = None
    raw: str | None = None

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.code]


class Refused(Exception):  # noqa: N818  an outcome of a file, not an error of the program
    """The file has no row of content: its one issue says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.message)
        self.issue = issue

    def below(self, lines: int) -> "Refused":
        """The same refusal, seen from the file: its front matter begins after `lines` lines."""
        line = self.issue.line
        return Refused(replace(self.issue, line=line if line is None else line + lines))


def refuse(
    code: str, message: str, line: int | None = None, column: int | None = None, raw: str | None = None
) -> Refused:
    return Refused(Issue(code, message, line=line, column=column, raw=None if raw is None else shorten(raw)))


def shorten(raw: str) -> str:
    """The start of `raw`, enough to recognise it."""
    return raw[:_RAW_CHARACTERS]


def line_of(text: bytes, line: int) -> str:
    """Line `line`, counted from 1, of `text`."""
    lines = text.split(b"\n", line)
    return lines[line - 1].decode("utf-8", "replace").rstrip("\r") if 0 < line <= len(lines) else ""


def step(key: object) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")

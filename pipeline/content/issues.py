"""What can be wrong with a file: a closed list of codes, each with a severity and, where known, a place.

A `Refused` file is rejected or skipped; issues of an accepted file are warnings. Lines and columns are those of the
file, counted from 1. `docs/issues.md` is made of `CODES`.
"""

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "info"]
Status = Literal["rejected", "skipped", "accepted"]


@dataclass(frozen=True, slots=True)
class Code:
    """What an issue's code says: how grave it is, what becomes of the file, what it means, what to do about it."""

    severity: Severity
    status: Status
    meaning: str
    remedy: str


def _rejected(meaning: str, remedy: str) -> Code:
    return Code("error", "rejected", meaning, remedy)


def _skipped(meaning: str, remedy: str) -> Code:
    return Code("info", "skipped", meaning, remedy)


def _accepted(meaning: str, remedy: str, severity: Severity = "warning") -> Code:
    return Code(severity, "accepted", meaning, remedy)


CODES: dict[str, Code] = {
    "unreadable": _rejected(
        "The file cannot be opened, or is no regular file.",
        "Allow reading it, or leave it out with `exclude` of the source.",
    ),
    "changed_while_read": _rejected(
        "The file changed while it was read, and again while it was read once more.",
        "Nothing: the next refresh reads it again.",
    ),
    "file_too_large": _rejected(
        "The file is larger than `content.max_file_mb`.", "Raise the setting, or leave the file out with `exclude`."
    ),
    "invalid_utf8": _rejected("A byte of the file is no UTF-8.", "Save the file as UTF-8."),
    "unclosed_front_matter": _rejected(
        "The fence of line 1 is never closed.", "Close it with the same fence on a line of its own."
    ),
    "front_matter_too_large": _rejected(
        "The front matter is larger than `content.max_front_matter_kb`; the place is where it begins.",
        "Raise the setting, or move text into the body.",
    ),
    "invalid_syntax": _rejected(
        "The front matter is no valid YAML, TOML or JSON.", "Mend it at the place; quote a text that holds signs."
    ),
    "several_documents": _rejected(
        "A second YAML document begins inside the front matter or the data file; two files may have been spliced.",
        "Keep one document a file.",
    ),
    "not_a_mapping": _rejected(
        "The front matter is a list, a single value or null; the place is where it begins.",
        "Write keys with values.",
    ),
    "unsupported_tag": _rejected(
        "A YAML tag asks for a type that is none of YAML's own, such as `!!python/object`. Nothing is ever run.",
        "Remove the tag.",
    ),
    "unsupported_value": _rejected(
        "A value cannot be kept: a list or mapping as a key, a value that contains itself, half a surrogate pair, an"
        " integer of more digits than Python reads, a text that is not what its tag says.",
        "Write the value in another way at the place.",
    ),
    "too_deep": _rejected(
        "The front matter is nested deeper than 254 levels; the place is where a bound is crossed.", "Flatten it."
    ),
    "alias_bomb": _rejected(
        "YAML aliases expand to far more than was written.", "Write the values out, or use fewer aliases."
    ),
    "empty_file": _skipped("The file holds nothing, as `.keep` files do.", "Nothing."),
    "no_front_matter": _skipped(
        "The file does not begin with front matter.",
        "Nothing where it is no content; else put the fence on line 1, without anything before it.",
    ),
    "duplicate_key": _accepted(
        "A key stands twice in one mapping. The last value counts, the first is the issue's `raw`.",
        "Remove one of the two.",
    ),
    "wrong_type": _accepted(
        "A value is of another type than its column. The column is null, the value is in `coverage.leftovers`.",
        "Quote a text that YAML takes for something else (`NO`, `012`), or mend the value.",
    ),
    "invalid_date": _accepted(
        "No time of the calendar can be read from a text. The column is null, the text is in `coverage.leftovers`.",
        "Write it as `2021-02-04T08:30:00Z`.",
    ),
    "out_of_range": _accepted(
        "A number or time does not fit its column. The column is null, the value is in `coverage.leftovers`.",
        "Mend the value.",
    ),
    "related_not_a_list": _accepted(
        "`related` is neither a list nor null. A single mapping counts as one related item; anything else is in"
        " `coverage.leftovers`.",
        "Write it as a list.",
    ),
    "related_not_a_mapping": _accepted(
        "A related item is no mapping but, say, a slug. It is kept in `coverage.leftovers`.",
        "Nothing where the archive means it so.",
        severity="info",
    ),
}

SKIPPED = frozenset(name for name, code in CODES.items() if code.status == "skipped")
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
        return CODES[self.code].severity


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

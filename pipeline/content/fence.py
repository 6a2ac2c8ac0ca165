"""Where the front matter of a file stands: between fences, as a JSON object at the start, or the whole of a data file.

A fence is a line of its own at column 0 with nothing behind it but white space: `---` closed by `---` or `...` (YAML),
`+++` closed by itself (TOML). Such a line always closes, also inside a block scalar, as Jekyll and YAML itself have it.
"""

import json
import re
from dataclasses import dataclass

from pipeline.content.issues import Refused, line_of, refuse

DATA_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}
"""Suffixes of files that are all front matter, without a body."""

_FENCES = {b"---": "yaml", b"+++": "toml"}
# Behind the fence either the line ends (group 1), or a second document begins on it.
_CLOSERS = {
    "yaml": re.compile(rb"\n(?:---|\.\.\.)(?:([ \t]*\r?(?:\n|\Z))|[ \t])"),
    "toml": re.compile(rb"\n\+\+\+([ \t]*\r?(?:\n|\Z))"),
}
# What may stand before the first document of a YAML stream: comments, directives, and its own `---`.
_DOCUMENT_START = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*---(?=\s|\Z)")
_DOCUMENT_END = re.compile(rb"\n(?:---|\.\.\.)(?=\s|\Z)")
_NOTHING = re.compile(rb"(?:\s|#[^\n]*(?:\n|\Z))*\Z")
# `{% include … %}` and `{{ page.title }}` are templates, not JSON.
_JSON_START = re.compile(rb'\{\s*["}]')
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The text of the front matter, the number of lines before it, and the body below it (None for a data file)."""

    format: str
    text: bytes
    lines_before: int
    body: str | None


def split(content: bytes, suffix: str, limit: int) -> FrontMatter:
    """The front matter and the body of the UTF-8 text `content`. Refuses front matter of more than `limit` bytes."""
    if suffix in DATA_FORMATS:
        front = FrontMatter(DATA_FORMATS[suffix], content, 0, None)
        if front.format == "yaml":
            front = FrontMatter("yaml", _one_document(content), 0, None)
        elif front.format == "toml" and content.startswith(b"+++"):
            front = _fenced(content) or front
    else:
        found = _fenced(content) or _json_object(content)
        if found is None:
            raise refuse("no_front_matter", "the file does not begin with front matter", 1, 1, line_of(content, 1))
        front = found
    if len(front.text) > limit:
        raise refuse(
            "front_matter_too_large",
            f"the front matter has {len(front.text):,} bytes, more than content.max_front_matter_kb allows",
            line=1,
            column=1,
            raw=line_of(content, 1),
        )
    return front


def is_blank(text: bytes) -> bool:
    """Nothing but white space and YAML comments."""
    return _NOTHING.match(text) is not None


def _fenced(content: bytes) -> FrontMatter | None:
    end = content.find(b"\n")
    opening = content if end < 0 else content[:end]
    form = _FENCES.get(opening.rstrip(b" \t\r"))
    if form is None:
        return None
    closer = _CLOSERS[form].search(content, end) if end >= 0 else None
    if closer is None:
        raise refuse("unclosed_front_matter", "the fence of line 1 is never closed", 1, 1, line_of(content, 1))
    if closer[1] is None:
        raise _several(content, closer.start(), "a second YAML document begins inside the front matter")
    text = content[end + 1 : closer.start() + 1]  # with its last line break: a block scalar's value needs it
    return FrontMatter(form, text, 1, content[closer.end() :].decode())


def _one_document(content: bytes) -> bytes:
    """The one document of a bare YAML file, without an end marker that may follow it."""
    start = _DOCUMENT_START.match(content)
    end = _DOCUMENT_END.search(content, start.end() if start else 0)
    if end is None:
        return content
    if not is_blank(content[end.end() :]):
        raise _several(content, end.start(), "the file holds several YAML documents")
    return content[: end.start() + 1]


def _several(content: bytes, before: int, message: str) -> Refused:
    """The refusal of what begins on the line after the line break at `before`."""
    line = content.count(b"\n", 0, before) + 2
    return refuse("several_documents", message, line=line, column=1, raw=line_of(content, line))


def _json_object(content: bytes) -> FrontMatter | None:
    if not _JSON_START.match(content):
        return None
    text = content.decode()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return FrontMatter("json", content, 0, "")  # its reader says what is wrong, and where
    line_end = _LINE_END.match(text, end)
    return FrontMatter("json", text[:end].encode(), 0, text[line_end.end() if line_end else end :])

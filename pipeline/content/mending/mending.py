"""The change of one file: find, write, read again, compare."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.content.fence import FrontMatter
from pipeline.content.meaning import Rules
from pipeline.content.mending import in_json, in_toml, in_yaml
from pipeline.content.mending.literals import CannotWriteError
from pipeline.content.reading import Meaning, meaning_of
from pipeline.content.trees import Loaded
from pipeline.content.values import from_json, to_json
from pipeline.model.pointers import step
from pipeline.model.text import EDGE_SPACE, undo_entities

_AMPERSAND = re.compile("&(?:amp|#0*38|#[xX]0*26);")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LANGUAGES = {"yaml": in_yaml.literals_of, "json": in_json.literals_of, "toml": in_toml.literals_of}
_Place = tuple[int, int, str]
"""From where to where of the front matter's text, and what is to stand there."""


@dataclass(frozen=True, slots=True)
class Change:
    """At `pointer` of the front matter, where `raw` stands, shall stand `url`."""

    pointer: str
    raw: str
    url: str

    @property
    def text(self) -> str:
        """The new value: white space around a URL stays, and where an ampersand was written as an entity it is again.
        What would be taken for entities is escaped."""
        core = self.raw.strip(EDGE_SPACE)
        start = self.raw.index(core)
        before, after = self.raw[:start], self.raw[start + len(core) :]
        spelled = _AMPERSAND.search(core)
        if spelled or undo_entities(self.url) != self.url:
            return before + self.url.replace("&", spelled[0] if spelled else "&amp;") + after
        return before + self.url + after


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that was not made, and why."""

    change: Change
    reason: str


@dataclass(frozen=True, slots=True)
class Mended:
    """The file's bytes with the changes `made`, and what was refused."""

    content: bytes
    made: tuple[Change, ...]
    refused: tuple[Refusal, ...]


def mend(path: str, content: bytes, changes: Sequence[Change], rules: Rules) -> Mended:
    """The file `path` of bytes `content` with these changes of its front matter, as many as can be made."""
    meaning = _read(path, content, rules)
    if meaning.front is None:
        reason = meaning.issues[0].message if meaning.issues else "it has no front matter"
        return Mended(content, (), tuple(Refusal(change, f"the file is not accepted: {reason}") for change in changes))
    places, refused = _located(meaning.front, changes)
    whole = _with(path, content, meaning, places, rules)
    if whole is not None:
        return Mended(whole, tuple(places), tuple(refused))
    # One of them does more than it should: each is tried on top of those that went well.
    made: dict[Change, _Place] = {}
    best = content
    for change, place in places.items():
        attempt = _with(path, content, meaning, made | {change: place}, rules)
        if attempt is None:
            refused.append(Refusal(change, "another value would change with it: they share an anchor or a merge key"))
        else:
            made[change], best = place, attempt
    return Mended(best, tuple(made), tuple(refused))


def _read(path: str, content: bytes, rules: Rules) -> Meaning:
    return meaning_of(path, Loaded(content, sha256(content).hexdigest(), len(content)), rules)


def _located(front: FrontMatter, changes: Iterable[Change]) -> tuple[dict[Change, _Place], list[Refusal]]:
    changes = list(dict.fromkeys(changes))
    found = _LANGUAGES[front.format](front.text.decode(), [(change.pointer, change.raw) for change in changes])
    places: dict[Change, _Place] = {}
    refused = []
    for change in changes:
        literal = found[change.pointer]
        try:
            if isinstance(literal, CannotWriteError):
                raise literal
            places[change] = literal.start, literal.end, literal.write(change.text)
        except CannotWriteError as error:
            refused.append(Refusal(change, str(error)))
    return places, refused


def _with(path: str, content: bytes, before: Meaning, places: dict[Change, _Place], rules: Rules) -> bytes | None:
    """The content with the changes; None where it would not mean what it should."""
    assert before.front is not None
    front = before.front
    source = front.text.decode()
    parts, at = [], 0
    for start, end, text in sorted(set(places.values())):
        if start < at:
            return None
        parts += [source[at:start], text]
        at = end
    written = "".join([*parts, source[at:]]).encode()
    offset = _offset(content, front)
    mended = content[:offset] + written + content[offset + len(front.text) :]
    after = _read(path, mended, rules)
    if after.front is None or after.front.body != front.body:
        return None
    wanted = from_json(to_json(before.mapping))
    if not all(_put(wanted, change) for change in places):
        return None
    return mended if to_json(after.mapping) == to_json(wanted) else None


def _offset(content: bytes, front: FrontMatter) -> int:
    """Where the front matter's text begins: behind the byte order mark and the line of the fence."""
    offset = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    if front.lines_before:
        offset = content.index(b"\n", offset) + 1
    assert content.startswith(front.text, offset)
    return offset


def _put(mapping: Any, change: Change) -> bool:
    """Set the value at the change's pointer; whether the old one stood there."""
    *folders, last = ["/" + part for part in change.pointer.split("/")[1:]]
    owner = mapping
    for part in folders:
        owner = next((child for key, child in _children(owner) if step(key) == part), None)
    key = next((key for key, child in _children(owner) if step(key) == last and child == change.raw), None)
    if key is None:
        return False
    owner[key] = change.text
    return True


def _children(owner: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(owner, dict):
        return list(owner.items())
    return enumerate(owner) if isinstance(owner, list) else ()

"""A shard of files to rows of the documents log. A bad file is a row with a reason, never an exception."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import pyarrow as pa

from pipeline.content.fence import FrontMatter, split
from pipeline.content.fitting import Apart
from pipeline.content.issues import SKIPPED, Issue, Refused, line_of, refuse
from pipeline.content.meaning import Rules, meaning_sha256
from pipeline.content.notes import Notes
from pipeline.content.parsing import parse
from pipeline.content.paths import collection_of
from pipeline.content.places import with_place
from pipeline.content.trees import Loaded, Tree
from pipeline.content.trees.tree import RAW_BYTES
from pipeline.content.typed import Items
from pipeline.model.ids import content_id
from pipeline.model.logs import DOCUMENTS

_PLAIN = (
    "path",
    "version_id",
    "status",
    "sha256",
    "semantic_sha256",
    "size_bytes",
    "format",
    "collection",
    "body",
    "body_line",
    "raw",
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Known:
    """The last row of a path in the log. `sha256` is None where the same bytes must be parsed again: nothing whole was
    read, or not by these rules."""

    status: str
    semantic_sha256: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was made of one file: an accepted one has a `front` and its `mapping`, another the one issue against it."""

    status: str
    semantic_sha256: str
    form: str | None
    front: FrontMatter | None = None
    mapping: dict[Any, Any] = field(default_factory=dict)
    issues: Sequence[Issue] = ()

    def is_known(self, known: Known | None) -> bool:
        return known is not None and (known.status, known.semantic_sha256) == (self.status, self.semantic_sha256)


@dataclass(frozen=True, slots=True)
class Shard:
    """What became of a share of the files: the rows of those with a new meaning, how many were parsed, and the paths of
    those that could not be read whole or at rest."""

    rows: pa.Table
    looked_at: int
    parsed: int
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads files of one source for one refresh. `commit` is the one its tree stands at."""

    source: str
    rules: Rules
    seen_at: datetime
    refresh_id: str
    commit: str | None = None

    def read(self, tree: Tree, paths: Sequence[str], known: Mapping[str, Known] | None = None) -> Shard:
        """A row of the documents log for each of `paths`, in their order, whose meaning is not the one that is known.

        Bytes that are known are not parsed. A known file that will not hold still keeps what is known of it: the next
        refresh reads it again.
        """
        known = known or {}
        rows = Rows(self.source, self.rules.volatile_keys)
        parsed = 0
        unread = []
        for path, loaded in zip(paths, tree.load(paths, self.rules.max_file_bytes), strict=True):
            before = known.get(path)
            if not isinstance(loaded, Loaded) or not loaded.settled:
                unread.append(path)
            if before and isinstance(loaded, Loaded) and _is_at_rest(loaded, before):
                continue
            parsed += 1
            meaning = meaning_of(path, loaded, self.rules)
            if not meaning.is_known(before):
                rows.append(path, loaded, meaning)
        table = rows.table(self.refresh_id, [self.seen_at] * len(rows), [self.commit] * len(rows))
        return Shard(table, len(paths), parsed, tuple(unread))


def _is_at_rest(loaded: Loaded, before: Known) -> bool:
    """Whether the bytes are those that are known, or cannot be told from them now."""
    return loaded.sha256 == before.sha256 or not (loaded.settled or before.status == "removed")


class Rows:
    """Rows of the documents log in the making."""

    def __init__(self, source: str, volatile_keys: frozenset[str]) -> None:
        self._source = source
        self._apart = Apart(noted=frozenset({"related"}), volatile=volatile_keys)
        self._items = Items()
        self._related = Items()
        self._related_ends = [0]
        self._no_related: list[bool] = []
        self._notes = Notes()
        self._plain: dict[str, list[Any]] = {name: [] for name in _PLAIN}
        self._appends = [column.append for column in self._plain.values()]

    def __len__(self) -> int:
        return len(self._items)

    def append(self, path: str, loaded: Loaded | Issue, meaning: Meaning) -> None:
        """Append the row of one file."""
        here = loaded if isinstance(loaded, Loaded) else None
        if meaning.front is None:
            self._items.append_none(self._notes)
            self._related_ends.append(len(self._related))
            self._no_related.append(True)
        else:
            self._items.append(meaning.mapping, "", self._notes, self._apart)
            self._append_related(meaning.mapping)
        self._notes.issues(meaning.issues)
        if meaning.front:
            self._notes.place_issues(meaning.front)
        self._notes.end_row()
        body = meaning.front.body if meaning.front else None
        row = (
            path,
            content_id("version", self._source, path, meaning.semantic_sha256),
            meaning.status,
            here.sha256 if here and here.settled else None,  # bytes in motion are nobody's fingerprint
            meaning.semantic_sha256,
            here.size if here else None,
            meaning.form,
            collection_of(path),
            body,
            None if body is None or here is None else here.content.count(b"\n") - body.count("\n") + 1,
            here.content[:RAW_BYTES] if here and not meaning.front else None,
        )
        for append, value in zip(self._appends, row, strict=True):
            append(value)

    def table(self, refresh_id: str, seen_at: Sequence[datetime], commits: Sequence[str | None]) -> pa.Table:
        """All that was appended, as seen by that refresh, each at its time and commit."""
        rows = len(self._items)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            name: pa.array(values, DOCUMENTS.field(name).type) for name, values in self._plain.items()
        }
        columns["source"] = pa.repeat(pa.scalar(self._source, pa.string()), rows)
        columns["seen_at"] = pa.array(seen_at, DOCUMENTS.field("seen_at").type)
        columns["refresh_id"] = pa.repeat(pa.scalar(refresh_id, pa.string()), rows)
        columns["commit"] = pa.array(commits, pa.string())
        columns["item"] = self._items.array()
        columns["related"] = pa.ListArray.from_arrays(
            pa.array(self._related_ends, pa.int32()), self._related.array(), mask=pa.array(self._no_related, pa.bool_())
        )
        columns["url_uses"] = self._notes.url_uses_array()
        columns["leftovers"] = self._notes.leftovers_array()
        columns["issues"] = self._notes.issues_array()
        return pa.Table.from_arrays([columns[name] for name in DOCUMENTS.names], schema=DOCUMENTS)

    def _append_related(self, mapping: dict[Any, Any]) -> None:
        notes = self._notes
        related = mapping.get("related")
        if type(related) is list:
            for position, item in enumerate(related):
                if type(item) is dict:
                    self._related.append(item, f"/related/{position}", notes)
                else:
                    self._related.append_none(notes)
                    if item is not None:
                        place = f"/related/{position}"
                        notes.leftover(place, item)
                        notes.issue(
                            "related_not_a_mapping", place, item, "a related item without keys is kept as it is"
                        )
                        notes.other_urls(place, item)
        elif "related" in mapping:
            notes.leftover("/related", related)
            if related is not None:
                notes.issue("related_not_a_list", "/related", related, "related should be a list of items")
            if type(related) is dict:
                self._related.append(related, "/related", notes)
            else:
                notes.other_urls("/related", related)
        self._related_ends.append(len(self._related))
        self._no_related.append(type(related) is not list and type(related) is not dict)


def meaning_of(path: str, loaded: Loaded | Issue, rules: Rules) -> Meaning:
    """What the file means: its content, or what is wrong with it."""
    if isinstance(loaded, Issue):
        return _refused(None, None, loaded)
    front: FrontMatter | None = None
    try:
        if not loaded.settled:
            raise refuse(
                "changed_while_read", "the file changed while it was read, twice; the next refresh reads it again"
            )
        if loaded.size > rules.max_file_bytes:
            raise refuse("file_too_large", f"the file has {loaded.size:,} bytes, more than content.max_file_mb allows")
        front = split(_text(loaded.content), _suffix(path), rules.max_front_matter_bytes)
        parsed = parse(front, rules)
    except Refused as refused:
        issue = with_place(refused.issue, front) if front else refused.issue
        return _refused(loaded, front.format if front else None, issue)
    meaning = meaning_sha256(parsed.lasting, front.body or "")
    return Meaning("accepted", meaning, front.format, front, parsed.mapping, parsed.issues)


def _refused(loaded: Loaded | None, form: str | None, issue: Issue) -> Meaning:
    status = "skipped" if issue.code in SKIPPED else "rejected"
    meaning = loaded.sha256 if loaded else sha256(issue.code.encode()).hexdigest()  # no bytes to tell it from
    return Meaning(status, meaning, form, issues=[issue])


def removed_rows(gone: pa.Table, **same: object) -> pa.Table:
    """A row of the documents log for each file that vanished: with the columns of `gone`, with the values that are the
    same for all, and else with nothing."""
    same["status"] = "removed"
    columns = [
        gone[column.name].cast(column.type)
        if column.name in gone.column_names
        else pa.repeat(pa.scalar(same.get(column.name), column.type), gone.num_rows)
        for column in DOCUMENTS
    ]
    return pa.Table.from_arrays(columns, schema=DOCUMENTS)


def _text(content: bytes) -> bytes:
    """`content` without a byte order mark. Refuses what is empty or no UTF-8."""
    if content.startswith(_BYTE_ORDER_MARK):
        content = content[3:]
    if not content:
        raise refuse("empty_file", "the file is empty")
    if content.isascii():
        return content
    try:
        content.decode()
    except UnicodeDecodeError as error:
        start = content.rfind(b"\n", 0, error.start) + 1
        line = content.count(b"\n", 0, error.start) + 1
        column = len(content[start : error.start].decode()) + 1
        raise refuse(
            "invalid_utf8",
            f"the file is no UTF-8: {error.reason} (byte 0x{content[error.start]:02x}); save it as UTF-8",
            line,
            column,
            line_of(content, line),
        ) from None
    return content


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()  # noqa: PTH122  one call in the hot path

"""A shard of files to rows of the documents log. A bad file is a row with a reason, never an exception."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.content.fence import FrontMatter, split
from pipeline.content.fitting import Apart
from pipeline.content.issues import SKIPPED, Issue, Refused, line_of, refuse
from pipeline.content.meaning import Rules, semantic_sha256
from pipeline.content.notes import Notes
from pipeline.content.parsing import parse
from pipeline.content.paths import collection_of, open_path
from pipeline.content.places import with_place
from pipeline.content.typed import Items
from pipeline.model.ids import content_id
from pipeline.model.logs import DOCUMENTS

RAW_BYTES = 64 * 1024
"""How much of a file that is not accepted its row keeps."""

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
    "raw",
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_files(
    root: Path, source: str, paths: Sequence[str], rules: Rules, seen_at: datetime, refresh_id: str
) -> pa.Table:
    """One row of the documents log for each of `paths` (as `find_files` writes them), in their order."""
    shard = _Shard(source, rules)
    for path in paths:
        shard.read(root, path)
    return shard.table(seen_at, refresh_id)


@dataclass(frozen=True, slots=True)
class _Bytes:
    """What was read of a file: of one too large only its start. `settled`: nobody wrote to it meanwhile."""

    content: bytes
    sha256: str
    size: int
    settled: bool


class _Shard:
    def __init__(self, source: str, rules: Rules) -> None:
        self._source = source
        self._rules = rules
        self._apart = Apart(noted=frozenset({"related"}), volatile=rules.volatile_keys)
        self._items = Items()
        self._related = Items()
        self._related_ends = [0]
        self._no_related: list[bool] = []
        self._notes = Notes()
        self._plain: dict[str, list[Any]] = {name: [] for name in _PLAIN}
        self._appends = [column.append for column in self._plain.values()]

    def read(self, root: Path, path: str) -> None:
        """Appends the row of one file."""
        loaded: _Bytes | None = None
        front: FrontMatter | None = None
        try:
            loaded = _load(root, path, self._rules.max_file_bytes)
            if not loaded.settled:
                raise refuse(
                    "changed_while_read", "the file changed while it was read, twice; the next refresh reads it again"
                )
            if loaded.size > self._rules.max_file_bytes:
                raise refuse(
                    "file_too_large", f"the file has {loaded.size:,} bytes, more than content.max_file_mb allows"
                )
            front = split(_text(loaded.content), _suffix(path), self._rules.max_front_matter_bytes)
            mapping, issues = parse(front)
            meaning = semantic_sha256(mapping, front.body or "", self._rules)
        except Refused as refused:
            issue = with_place(refused.issue, front) if front else refused.issue
            self._append_refused(path, loaded, front.format if front else None, issue)
            return
        self._items.append(mapping, "", self._notes, self._apart)
        self._append_related(mapping)
        self._notes.issues(issues)
        self._notes.place_issues(front)
        self._append_row(path, "accepted", meaning, loaded, front.format, front.body, None)

    def table(self, seen_at: datetime, refresh_id: str) -> pa.Table:
        rows = len(self._items)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            name: pa.array(values, DOCUMENTS.field(name).type) for name, values in self._plain.items()
        }
        columns["source"] = pa.repeat(pa.scalar(self._source, pa.string()), rows)
        columns["seen_at"] = pa.repeat(pa.scalar(seen_at, DOCUMENTS.field("seen_at").type), rows)
        columns["refresh_id"] = pa.repeat(pa.scalar(refresh_id, pa.string()), rows)
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

    def _append_refused(self, path: str, loaded: _Bytes | None, form: str | None, issue: Issue) -> None:
        self._items.append_none(self._notes)
        self._related_ends.append(len(self._related))
        self._no_related.append(True)
        self._notes.issues([issue])
        status = "skipped" if issue.code in SKIPPED else "rejected"
        meaning = loaded.sha256 if loaded else sha256(issue.code.encode()).hexdigest()  # no bytes to tell it from
        raw = loaded.content[:RAW_BYTES] if loaded else None
        self._append_row(path, status, meaning, loaded, form, None, raw)

    def _append_row(
        self,
        path: str,
        status: str,
        meaning: str,
        loaded: _Bytes | None,
        form: str | None,
        body: str | None,
        raw: bytes | None,
    ) -> None:
        self._notes.end_row()
        row = (
            path,
            content_id("version", self._source, path, meaning),
            status,
            loaded.sha256 if loaded and loaded.settled else None,  # bytes in motion are nobody's fingerprint
            meaning,
            loaded.size if loaded else None,
            form,
            collection_of(path),
            body,
            raw,
        )
        for append, value in zip(self._appends, row, strict=True):
            append(value)


def _load(root: Path, path: str, limit: int) -> _Bytes:
    """The bytes of a file. One that changes under the reader is read once more."""
    try:
        place = open_path(root, path)
        loaded = _read(place, limit)
        return loaded if loaded.settled else _read(place, limit)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refuse("unreadable", f"the file cannot be read: {reason}; check its permissions") from None


def _read(place: bytes, limit: int) -> _Bytes:
    # Not blocking: a pipe in a file's place would hold the reader for ever.
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise ValueError("it is no regular file")
        if before.st_size > limit:
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(RAW_BYTES)
                file.seek(0)
                return _Bytes(content, file_digest(file, "sha256").hexdigest(), before.st_size, settled=True)
        content = os.read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    settled = len(content) == before.st_size and (before.st_size, before.st_mtime_ns) == (
        after.st_size,
        after.st_mtime_ns,
    )
    return _Bytes(content, sha256(content).hexdigest(), len(content), settled)


def _text(content: bytes) -> bytes:
    """`content` without a byte order mark. Refuses what is empty or no UTF-8."""
    if content.startswith(_BYTE_ORDER_MARK):
        content = content[3:]
    if not content:
        raise refuse("empty_file", "the file is empty")
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

"""An object store, or whatever else fsspec reaches: one listing, then the bytes of many objects at once.

What tells that an object changed is what its store says of it: an ETag or a version, else its times. Credentials and
the options of a driver come from the environment, as the driver and fsspec read them; none is a setting.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from os import fsdecode, fsencode
from textwrap import shorten
from typing import Any, Self

import pyarrow as pa
from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.core import url_to_fs

from pipeline.content.globs import Selection
from pipeline.content.issues import Issue
from pipeline.content.paths import path_bytes, path_text
from pipeline.content.trees.tree import RAW_BYTES, Loaded
from pipeline.errors import SourceError, UnreachableError

FOUND = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("stamp", pa.string(), nullable=False),
    ]
)
_VERSIONS = ("ETag", "etag", "VersionId", "version_id", "generation", "checksum", "md5Hash", "blob_id", "sha")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "modify", "last_write_time", "created")
"""What drivers call that which tells two states of an object apart: one version does, of the times all together."""

_BATCH_ROWS = 20_000

_BATCH_OBJECTS = 64
_FIRST_BYTES = 512 * 1024
"""How many objects are asked for at once, and how much of each: together they bound memory. What is longer, few objects
are, is read alone."""
_BLOCK_BYTES = 4 * 1024 * 1024
_NO_ACCIDENT = 20
"""Objects of a batch that fail together, with none that succeeds: that is the store or its rules, not the objects."""

_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_QUERY = re.compile(r"(://[^?\s]*)\?[^\s\"']*")


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects below `url`."""

    url: str

    @property
    def place(self) -> str:
        return _redacted(self.url)

    @property
    def commit(self) -> None:
        return None

    def updated(self) -> Self:
        return self

    def find(self, include: Sequence[str], exclude: Sequence[str]) -> pa.RecordBatchReader:
        """The objects that the globs leave, by their paths. What only stands for a folder is no object."""
        store, root = self._open()
        selection = Selection(include, exclude)
        below = root.rstrip("/") + "/"
        paths: list[str] = []
        sizes: list[int] = []
        stamps: list[str] = []
        is_empty = True
        unknown = f"unknown at {time.time_ns()}"  # a state that is never met again: such an object is always read
        for info in self._listing(store, root, selection):
            name = info["name"]
            if info["type"] != "file" or name.endswith("/"):
                continue
            if not name.startswith(below):
                raise SourceError(
                    f"{self.place}: is listed with {name!r}, which does not lie below it;"
                    " name a folder or prefix in `url` of the source, written as the store writes it"
                )
            is_empty = False
            path = path_text(fsencode(name.removeprefix(below)))
            if selection.takes(path):
                paths.append(path)
                sizes.append(info["size"] or 0)
                stamps.append(_stamp(info) or unknown)
        if is_empty:
            raise SourceError(
                f"{self.place}: there is no object below it; check the bucket and the prefix in `url` of the source"
            )
        return pa.table([paths, sizes, stamps], schema=FOUND).sort_by("path").to_reader(_BATCH_ROWS)

    def load(self, paths: Sequence[str], limit: int) -> Iterator[Loaded | Issue]:
        """Whatever is wrong with an object is an Issue of it. Raises SourceError where it is the store that fails."""
        store, root = self._open()
        for start in range(0, len(paths), _BATCH_OBJECTS):
            names = [
                f"{root.rstrip('/')}/{fsdecode(path_bytes(path))}" for path in paths[start : start + _BATCH_OBJECTS]
            ]
            first = min(limit, _FIRST_BYTES)
            answers = store.cat_ranges(names, 0, first + 1, on_error="return")
            failures = {
                name: answer for name, answer in zip(names, answers, strict=True) if isinstance(answer, Exception)
            }
            failed = self._again(store, root, failures, limit)
            if len(names) >= _NO_ACCIDENT and all(isinstance(failed.get(name), Issue) for name in names):
                raise SourceError(
                    f"{self.place}: can be listed, but none of {len(names)} objects can be read, as {names[0]!r}:"
                    f" {_words(failures[names[0]])}; allow reading them to the credentials in the environment"
                )
            for name, answer in zip(names, answers, strict=True):
                if name in failed:
                    yield failed[name]
                elif len(answer) > first:
                    yield self._again(store, root, {name: None}, limit)[name]
                else:
                    yield Loaded(answer, sha256(answer).hexdigest(), len(answer))

    def _open(self) -> tuple[Any, str]:
        """The file system, which fsspec keeps one of a process, and what it calls the place of the source."""
        try:
            store, root = url_to_fs(self.url)
        except ImportError as error:
            is_s3 = self.url.startswith(("s3:", "s3a:"))
            raise SourceError(
                f"{self.place}: the driver of such URLs is not installed: {_words(error)};"
                f" install {'newsledger[s3]' if is_s3 else 'it beside newsledger'}"
            ) from error
        except Exception as error:
            raise SourceError(
                f"{self.place}: cannot be opened: {_words(error)}; check `url` of the source, the network, and the"
                " options of its driver in the environment (docs/sources.md says which)"
            ) from error
        return store, str(root)

    def _listing(self, store: Any, root: str, selection: Selection) -> list[Mapping[str, Any]]:
        """What the store says of each object now, in no certain order; nothing where there is no such place."""
        store.invalidate_cache()
        base = AsyncFileSystem._find if isinstance(store, AsyncFileSystem) else AbstractFileSystem.find
        try:
            if getattr(type(store), base.__name__) is base:
                return list(_walk(store, root, selection))
            return list(store.find(root, detail=True).values())
        except FileNotFoundError:
            return []
        except Exception as error:
            raise UnreachableError(
                f"{self.place}: cannot be listed: {_words(error)}; check `url` of the source, the network, and the"
                " credentials in the environment (docs/sources.md says which)"
            ) from error
        finally:
            store.invalidate_cache()

    def _again(
        self, store: Any, root: str, failures: Mapping[str, Exception | None], limit: int
    ) -> dict[str, Loaded | Issue]:
        """Each of these objects read alone. Before and after the store is asked whether it is there at all: no object
        is blamed for a store that is not."""
        if any(failures.values()):
            self._ask(store, root)
        outcomes = {
            name: _unreadable(error) if isinstance(error, FileNotFoundError) else _alone(store, name, limit)
            for name, error in failures.items()
        }
        if any(isinstance(outcome, Issue) for outcome in outcomes.values()):
            self._ask(store, root)
        return outcomes

    def _ask(self, store: Any, root: str) -> None:
        store.invalidate_cache()  # a remembered answer is none
        try:
            store.info(root)
        except Exception as error:
            raise UnreachableError(
                f"{self.place}: fails while its objects are read: {_words(error)};"
                " the next refresh goes on from what was read before"
            ) from error


def _walk(store: Any, root: str, selection: Selection) -> Iterator[Mapping[str, Any]]:
    """The walk of a store that lists one folder at a time. fsspec's own leaves out without a word a folder that it may
    not list: its files would look deleted."""
    below = root.rstrip("/") + "/"
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = store.ls(folder, detail=True)
        except FileNotFoundError:
            if folder == root:
                raise
            continue  # deleted under the walk
        for info in entries:
            name = info["name"].rstrip("/")
            if info["type"] != "directory":
                yield info
            elif name != folder.rstrip("/") and not selection.excluded(
                path_text(fsencode(name.removeprefix(below))) + "/"
            ):
                pending.append(name)


def _stamp(info: Mapping[str, Any]) -> str:
    """What tells this state of the object from any other; nothing where the store says nothing."""
    versions = [_text(info[key]) for key in _VERSIONS if info.get(key)]
    return versions[0] if versions else " ".join(_text(info[key]) for key in _TIMES if info.get(key))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)  # a datetime is a date


def _alone(store: Any, name: str, limit: int) -> Loaded | Issue:
    """The object, read on its own: the only way for one that is long, or empty (to S3 no range of it exists)."""
    try:
        size = store.info(name)["size"]
        content = b"" if size == 0 else store.cat_file(name, start=0, end=limit + 1) if size <= limit else None
        if content is None or len(content) > limit:
            return _summary(store, name, limit)
    except Exception as error:  # noqa: BLE001  drivers raise whatever they like
        return _unreadable(error)
    return Loaded(content, sha256(content).hexdigest(), size=len(content))


def _summary(store: Any, name: str, limit: int) -> Loaded:
    """The start of an object larger than the limit and the hash of all of it, which is never held."""
    digest = sha256()
    start = b""
    size = 0
    with store.open(name, "rb", block_size=_BLOCK_BYTES) as file:
        while block := file.read(_BLOCK_BYTES):
            start = start or block[:RAW_BYTES]
            size += len(block)
            digest.update(block)
    return Loaded(start, digest.hexdigest(), size, settled=size > limit)


def _unreadable(error: Exception) -> Issue:
    reason = "it is no longer there" if isinstance(error, FileNotFoundError) else _words(error)
    return Issue("unreadable", f"the object cannot be read: {reason}; check its permissions")


def _words(error: Exception) -> str:
    """The error in the driver's own words, without secrets."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shorten(_redacted(text) or type(error).__name__, 300, placeholder=" …")


def _redacted(text: str) -> str:
    """`text` whose URLs name no user, no password and no token."""
    return _QUERY.sub(r"\1", _USERINFO.sub("", text))

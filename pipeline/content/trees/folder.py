"""A folder: one walk, one stat a file, nothing opened but what is to be read.

A folder behind a symlink is never entered (it may lead in a circle), a file behind one counts only when it lies inside
the source. A folder that cannot be listed stops the walk: its files would look deleted.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Self

import pyarrow as pa

from pipeline.content.globs import Selection
from pipeline.content.issues import Issue
from pipeline.content.paths import open_path, path_text
from pipeline.content.trees.tree import RAW_BYTES, Loaded
from pipeline.errors import SourceError

FOUND = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("mtime_ns", pa.int64(), nullable=False),
        pa.field("ctime_ns", pa.int64(), nullable=False),
        pa.field("inode", pa.int64(), nullable=False),
    ]
)
_BATCH_FILES = 20_000
"""Files held as Python objects at once: bounds memory however large the folder is."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files below `root`."""

    root: Path

    @property
    def place(self) -> str:
        return str(self.root)

    @property
    def commit(self) -> None:
        return None

    def updated(self) -> Self:
        return self

    def find(self, include: Sequence[str], exclude: Sequence[str]) -> pa.RecordBatchReader:
        """The regular files that the globs leave, with their stats, in the order of the walk: folder by folder."""
        if not self.root.is_dir():
            what = "is not a folder" if self.root.exists() else "no such folder"
            raise SourceError(
                f"{self.root}: {what}; set `path` of the source in `sources` to the folder of the archive"
            )
        return pa.RecordBatchReader.from_batches(FOUND, _walk(self.root, Selection(include, exclude)))

    def load(self, paths: Sequence[str], limit: int) -> Iterator[Loaded | Issue]:
        """One that changes under the reader is read once more."""
        for path in paths:
            try:
                place = open_path(self.root, path)
                loaded = _read(place, limit)
                yield loaded if loaded.settled else _read(place, limit)
            except (OSError, ValueError) as error:  # ValueError: a NUL in the path
                reason = error.strerror if isinstance(error, OSError) else str(error)
                yield Issue("unreadable", f"the file cannot be read: {reason}; check its permissions")


def _walk(root: Path, selection: Selection) -> Iterator[pa.RecordBatch]:
    suffixes, included, left_out = selection.suffixes, selection.included, selection.excluded_by_name
    inside = os.path.realpath(root) + os.sep
    paths: list[str] = []
    stats: list[os.stat_result] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = os.scandir(root / folder)
        except FileNotFoundError:  # deleted under the walk
            continue
        except OSError as error:
            raise SourceError(
                f"{root / folder}: cannot be listed: {error.strerror};"
                " allow reading it, or name it in `exclude` of the source"
            ) from error
        below: list[str] = []
        with entries:
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if not selection.excluded(path + "/"):
                        below.append(path + "/")
                elif (path.endswith(suffixes) or included(path)) and not left_out(path):
                    try:
                        if entry.is_symlink() and not os.path.realpath(entry.path).startswith(inside):
                            continue
                        status = entry.stat()
                    except OSError:  # deleted under the walk, or a symlink to nothing
                        continue
                    if stat.S_ISREG(status.st_mode):
                        paths.append(path)
                        stats.append(status)
                        if len(paths) == _BATCH_FILES:
                            yield _batch(paths, stats)
                            paths, stats = [], []
        pending += sorted(below, reverse=True)
    yield _batch(paths, stats)


def _batch(paths: list[str], stats: list[os.stat_result]) -> pa.RecordBatch:
    together = "".join(paths)
    if not together.isascii() or "\\" in together:
        paths = [path_text(os.fsencode(path)) for path in paths]
    columns = (
        paths,
        [status.st_size for status in stats],
        [status.st_mtime_ns for status in stats],
        [status.st_ctime_ns for status in stats],
        [_signed(status.st_ino) for status in stats],
    )
    arrays = [pa.array(column, field.type) for column, field in zip(columns, FOUND, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=FOUND)


def _signed(inode: int) -> int:
    """Some file systems count inodes in 64 unsigned bits, Arrow and Delta in signed ones."""
    return inode - (1 << 64) if inode >> 63 else inode


def _read(place: bytes, limit: int) -> Loaded:
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
                return Loaded(content, file_digest(file, "sha256").hexdigest(), before.st_size)
        content = os.read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    settled = len(content) == before.st_size and (before.st_size, before.st_mtime_ns) == (
        after.st_size,
        after.st_mtime_ns,
    )
    return Loaded(content, sha256(content).hexdigest(), len(content), settled)

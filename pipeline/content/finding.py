"""Which files a source holds, with what tells whether one changed since it was last read.

One walk, one stat a file, nothing opened. A folder behind a symlink is never entered (it may lead in a circle), a file
behind one counts only when it lies inside the source. A folder that cannot be listed stops the walk: its files would
look deleted.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from stat import S_ISREG

import pyarrow as pa

from pipeline.content.globs import compile_globs
from pipeline.content.paths import path_text
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

_Found = tuple[str, int, int, int, int]


def find_files(root: Path, include: Sequence[str], exclude: Sequence[str]) -> pa.Table:
    """The regular files below `root` that a glob of `include` and none of `exclude` names, sorted by path."""
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "no such folder"
        raise SourceError(f"{root}: {what}; set `path` of the source in `sources` to the folder of the archive")
    found = sorted(_walk(root, compile_globs(include), compile_globs(exclude)))
    columns = zip(*found, strict=True) if found else ((),) * len(FOUND)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, FOUND, strict=True)], schema=FOUND
    )


def _walk(root: Path, include: re.Pattern[str], exclude: re.Pattern[str]) -> Iterator[_Found]:
    included, excluded = include.fullmatch, exclude.fullmatch
    inside = os.path.realpath(root) + os.sep
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
        with entries:
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git" and not excluded(path + "/"):
                        pending.append(path + "/")
                elif included(path) and not excluded(path) and (found := _file(entry, path, inside)):
                    yield found


def _file(entry: os.DirEntry[str], path: str, inside: str) -> _Found | None:
    try:
        if entry.is_symlink() and not os.path.realpath(entry.path).startswith(inside):
            return None
        stat = entry.stat()
    except OSError:  # deleted under the walk, or a symlink to nothing
        return None
    if not S_ISREG(stat.st_mode):
        return None
    plain = path.isascii() and "\\" not in path
    text = path if plain else path_text(os.fsencode(path))
    return text, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, _signed(stat.st_ino)


def _signed(inode: int) -> int:
    """Some file systems count inodes in 64 unsigned bits, Arrow and Delta in signed ones."""
    return inode - (1 << 64) if inode >> 63 else inode

r"""Paths as text: a file name is bytes, a column of the log is UTF-8.

A byte that is no UTF-8 is written `\xNN`, and so is a backslash, which makes the text reversible: whatever was found
can be opened again.
"""

import os
import re

_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


def path_text(raw: bytes) -> str:
    r"""The path `raw` as text, with `\xNN` for bytes that are no UTF-8 and for backslashes."""
    return raw.replace(b"\\", b"\\x5c").decode("utf-8", "backslashreplace")


def path_bytes(text: str) -> bytes:
    """The path that `path_text` wrote as `text`."""
    raw = text.encode("utf-8")
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), raw) if b"\\" in raw else raw


def open_path(root: str | os.PathLike[str], text: str) -> bytes:
    """Where the file of path `text` lies on disk."""
    return os.path.join(os.fsencode(root), path_bytes(text))  # noqa: PTH118  pathlib knows no bytes


def collection_of(path: str) -> str | None:
    """The archive's collection: news for Jekyll's `_news/…`, posts for Hugo's `content/posts/…`, else the folder."""
    folders = path.split("/")[:-1]
    if not folders:
        return None
    if folders[0] == "content" and len(folders) > 1:
        return folders[1]
    return folders[0].removeprefix("_") or None

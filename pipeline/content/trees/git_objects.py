"""What one `git cat-file --batch` gives: blobs in a stream, and the entries of folders.

Objects are asked for by their ids. By `<commit>:<path>`, git would read a folder's whole listing for each file of it:
of 100,000 files in one folder, 14 ms a file.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from pipeline.content.trees.git_program import MEND, Repository, Running
from pipeline.content.trees.tree import RAW_BYTES, Loaded
from pipeline.errors import SourceError

REGULAR = (b"100644", b"100755")
_FOLDER = b"40000"
_NOTHING = (b"", b"")
_UNDER_WAY_BYTES = 4_000
"""Of requests not yet answered: less than the smallest pipe holds, so that writing one never waits for an answer."""
_WAITING = 1_000
"""Keys held at once, those without an object too."""
_PART_BYTES = 1 << 20
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)

Key = TypeVar("Key")


@dataclass(slots=True)
class Objects:
    """A conversation with one `git cat-file --batch`."""

    _git: Running
    _folders: dict[bytes, dict[bytes, tuple[bytes, bytes]]] = field(default_factory=dict)

    def blobs(self, wanted: Iterable[tuple[Key, bytes | None]], limit: int) -> Iterator[tuple[Key, Loaded | None]]:
        """Each of the blobs by its id, in turn, and nothing for None; of one larger than `limit` bytes its first
        RAW_BYTES."""
        waiting: deque[tuple[Key, int]] = deque()
        under_way = 0
        for key, object_id in wanted:
            size = 0 if object_id is None else len(object_id) + 1
            if under_way + size > _UNDER_WAY_BYTES or len(waiting) > _WAITING:
                while under_way > _UNDER_WAY_BYTES // 2 or len(waiting) > _WAITING // 2:
                    answered, answered_size = waiting.popleft()
                    under_way -= answered_size
                    yield answered, self._blob(limit) if answered_size else None
            if object_id is not None:
                self._ask(object_id)
            waiting.append((key, size))
            under_way += size
        for answered, answered_size in waiting:
            yield answered, self._blob(limit) if answered_size else None

    def blob_id(self, commit: str, path: bytes) -> bytes | None:
        """The id of the regular file of that path in the commit; None where there is none."""
        folder = f"{commit}^{{tree}}".encode()
        *parents, name = path.split(b"/")
        for parent in parents:
            mode, raw = self._entries(folder).get(parent, _NOTHING)
            if mode != _FOLDER:
                return None
            folder = raw.hex().encode()
        mode, raw = self._entries(folder).get(name, _NOTHING)
        return raw.hex().encode() if mode in REGULAR else None

    def _entries(self, folder: bytes) -> dict[bytes, tuple[bytes, bytes]]:
        """Mode and id (its 20 bytes) of what the folder holds, by name."""
        if folder not in self._folders:
            self._ask(folder)
            entries = _ENTRY.findall(self._read(self._answered()))
            self._folders[folder] = {name: (mode, raw) for mode, name, raw in entries}
            self._read(1)
        return self._folders[folder]

    def _blob(self, limit: int) -> Loaded:
        size = self._answered()
        content = self._read(size if size <= limit else RAW_BYTES)
        digest = sha256(content)
        for start in range(len(content), size, _PART_BYTES):
            digest.update(self._read(min(_PART_BYTES, size - start)))
        self._read(1)
        return Loaded(content, digest.hexdigest(), size)

    def _ask(self, name: bytes) -> None:
        assert self._git.requests is not None
        self._git.requests.write(name + b"\n")

    def _answered(self) -> int:
        """The size of the object that is answered next."""
        assert self._git.requests is not None
        self._git.requests.flush()
        header = self._git.answers.readline().split()
        if not header:
            raise EOFError
        if len(header) != 3:
            raise SourceError(f"git has no object {header[0].decode()} in this copy; {MEND}")
        return int(header[2])

    def _read(self, size: int) -> bytes:
        content = self._git.answers.read(size)
        if len(content) < size:
            raise EOFError
        return content


@contextmanager
def open_objects(repository: Repository) -> Iterator[Objects]:
    """A conversation about the objects of the repository."""
    with repository.stream("cat-file", "--batch") as git:
        yield Objects(git)

"""A branch of a git repository, read from a bare copy of our own: nothing is ever checked out.

A checkout on this machine is read the same way, so only what is committed there counts. What is no regular file
(a symlink, a submodule) is passed by; so is what Git LFS keeps elsewhere: its pointer is what the repository holds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Self

import pyarrow as pa

from pipeline.content.globs import Selection
from pipeline.content.issues import Issue
from pipeline.content.paths import path_bytes, path_text
from pipeline.content.trees.git_objects import REGULAR, open_objects
from pipeline.content.trees.git_program import Repository, Writing, ask_remote, records, redacted, words
from pipeline.content.trees.tree import Loaded
from pipeline.errors import SourceError, UnreachableError

FOUND = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("oid", pa.string(), nullable=False),
    ]
)
TIP = "refs/newsledger/tip"
"""What was fetched last. Git moves it only once a fetch has all of its objects."""
_BATCH_FILES = 20_000
_UNREACHABLE = "cannot be reached; check the network and the address in `git` of the source"
_REASONS = {
    "belongs to another user; if you trust it, name it in git's own `safe.directory`": "dubious ownership",
    "asks who you are; give the user that runs Newsledger a credential helper, or an SSH key and a known host": (
        "could not read (username|password)|authentication failed|permission denied|host key verification failed"
    ),
    _UNREACHABLE: (
        "could not resolve host|failed to connect|couldn't connect|connection refused|timed out|too slow"
        "|unable to look up|network is unreachable"
    ),
    "there is no git repository, or none that this user may see; check `git` of the source": (
        "does not appear to be a git repository|not found|does not exist|no such file or directory"
    ),
    "is not reached by that protocol; name a folder, or a URL of https, ssh, http or git": "not allowed",
}
"""What is wrong and what to do, by what git says of it."""


@dataclass(frozen=True, slots=True)
class Git:
    """The branch `branch` (None: the one the repository itself calls HEAD) of `origin`, a URL or an absolute path, in
    the copy `repository`."""

    origin: str
    branch: str | None
    repository: Repository
    read_at: str | None = None
    """The commit it was brought up to; None: whatever the copy stands at."""

    @property
    def place(self) -> str:
        return redacted(self.origin)

    @property
    def commit(self) -> str | None:
        if self.read_at is not None:
            return self.read_at
        found = self.repository.run("rev-parse", "--verify", "--quiet", f"{TIP}^{{commit}}")
        return found.stdout.decode().strip() or None

    def updated(self) -> Self:
        """Fetched: the files of one commit, or, into a copy that has all of history, what is new of it."""
        with self.repository.written() as copy:
            if self.commit is None or self._is_shallow():
                fetched = self._fetch(copy, "--depth=1")
                if b"not support shallow" in fetched.stderr:  # a plain folder behind HTTP
                    fetched = self._fetch(copy)
            else:
                # A repository that is shallow itself would else be passed by, without a word.
                fetched = self._fetch(copy, "--update-shallow")
        return self._at(fetched)

    def remote_commit(self) -> str:
        """What the branch stands at where it comes from; nothing is fetched."""
        asked = ask_remote("ls-remote", "--", self._url(), self._wanted())
        if asked.returncode or not asked.stdout:
            why = self._why(asked.stderr or b"couldn't find remote ref")
            raise SourceError(f"{self.place}: {why}. Git says: {words(asked.stderr)}")
        return asked.stdout.split()[0].decode()

    def with_history(self) -> Self:
        """Fetched with all of its history."""
        with self.repository.written() as copy:
            fetched = self._fetch(copy, "--unshallow" if self._is_shallow() else "--update-shallow")
        whole = self._at(fetched)
        if whole._is_shallow():
            raise SourceError(
                f"{self.place}: is itself a copy without all of its history; name the repository it was made from in"
                " `git` of the source, or run `git fetch --unshallow` there"
            )
        return whole

    def find(self, include: Sequence[str], exclude: Sequence[str]) -> pa.RecordBatchReader:
        """The regular files of the commit that the globs leave, in git's order."""
        commit = self.commit
        if commit is None:
            raise SourceError(f"{self.place}: nothing was fetched yet; run `newsledger refresh`")
        return pa.RecordBatchReader.from_batches(FOUND, self._listed(commit, Selection(include, exclude)))

    def load(self, paths: Sequence[str], limit: int) -> Iterator[Loaded | Issue]:
        commit = self.commit
        if commit is None:
            yield from (_absent() for _ in paths)
            return
        with open_objects(self.repository) as objects:
            ids = [(path, objects.blob_id(commit, path_bytes(path))) for path in paths]
            for _, loaded in objects.blobs(ids, limit):
                yield loaded or _absent()

    def _is_shallow(self) -> bool:
        return self.repository.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def _fetch(self, copy: Writing, *depth: str) -> "CompletedProcess[bytes]":
        refspec = f"+{self._wanted()}:{TIP}"
        return copy.fetch("--no-tags", "--no-recurse-submodules", *depth, "--", self._url(), refspec)

    def _url(self) -> str:
        """A folder is fetched as a URL is, else git would not cut its history."""
        return Path(self.origin).as_uri() if self.origin.startswith("/") else self.origin

    def _wanted(self) -> str:
        return "HEAD" if self.branch is None else f"refs/heads/{self.branch}"

    def _at(self, fetched: "CompletedProcess[bytes]") -> Self:
        if fetched.returncode:
            why = self._why(fetched.stderr)
            raise (UnreachableError if why == _UNREACHABLE else SourceError)(
                f"{self.place}: {why}. What was fetched before stays as it was. Git says: {words(fetched.stderr)}"
            )
        return replace(self, read_at=replace(self, read_at=None).commit)

    def _why(self, told: bytes) -> str:
        """What is wrong, and what to do."""
        if b"couldn't find remote ref" in told:
            if self.branch is None:
                return "the repository is empty, or its HEAD names no branch; set `branch` of the source"
            return f"has no branch {self.branch}; set `branch` of the source to one that `git ls-remote` lists"
        said = told.decode("utf-8", "replace").lower()
        return next((why for why, phrases in _REASONS.items() if re.search(phrases, said)), "cannot be fetched")

    def _listed(self, commit: str, selection: Selection) -> Iterator[pa.RecordBatch]:
        takes = selection.takes
        paths: list[str] = []
        sizes: list[int] = []
        ids: list[str] = []
        with self.repository.stream("ls-tree", "-r", "-z", "-l", commit) as git:
            for entry in records(git.answers):
                told, _, raw = entry.partition(b"\t")
                mode, _, object_id, size = told.split()
                path = raw.decode("utf-8", "surrogateescape")
                if mode in REGULAR and takes(path):
                    paths.append(path_text(raw))
                    sizes.append(int(size))
                    ids.append(object_id.decode())
                    if len(paths) == _BATCH_FILES:
                        yield pa.RecordBatch.from_arrays([paths, sizes, ids], schema=FOUND)
                        paths, sizes, ids = [], [], []
        yield pa.RecordBatch.from_arrays([paths, sizes, ids], schema=FOUND)


def _absent() -> Issue:
    return Issue("unreadable", "the file is not in the commit that is read")

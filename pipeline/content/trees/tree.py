"""What every tree offers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import pyarrow as pa

from pipeline.content.issues import Issue

RAW_BYTES = 64 * 1024
"""How much of a file that is not accepted its row keeps."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read of a file: of one larger than the limit only its first RAW_BYTES, with the hash of the whole.
    `settled`: nobody wrote to it meanwhile."""

    content: bytes
    sha256: str
    size: int
    settled: bool = True


class Tree(Protocol):
    """The files of one source."""

    @property
    def place(self) -> str:
        """What a message calls it: a folder, a URL."""
        ...

    @property
    def commit(self) -> str | None:
        """The commit that is read; None where there is no such thing."""
        ...

    def updated(self) -> Self:
        """The tree brought up to date, where it is a copy of one elsewhere. Raises SourceError where that fails; the
        copy is then as it was."""
        ...

    def find(self, include: Sequence[str], exclude: Sequence[str]) -> pa.RecordBatchReader:
        """Its files that a glob of `include` and none of `exclude` names: `path`, `size`, and whatever else tells that
        one changed; in batches, and in the same order while they stay the same. Raises SourceError where they cannot be
        listed, now or when they are read."""
        ...

    def load(self, paths: Sequence[str], limit: int) -> Iterator[Loaded | Issue]:
        """Each of the files in turn: its bytes, or why they cannot be had; larger ones than `limit` bytes in part."""
        ...

"""Where the lake lies: a folder of this machine, or a prefix of an object store.

A file of the lake is written once, under a name of its own, and never changed; only pointers are replaced, each by
whoever has seen what it replaces. So one small seam serves both kinds of place: a file is written and read at a path of
this machine, `put` makes what was written there one of the lake's, `fetch` has the lake's here. In a folder both are
the same path.

Belongs here: the seam, and the folder. Does not belong here: the object store (`objects`), and what is in the files.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from pipeline.errors import LakeError
from pipeline.lake.files import replacing
from pipeline.settings import Settings

SPOOLS = "_spool"
"""Readers of Delta pass by what begins with an underscore."""
_MOST_WORDS = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m|↳")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a file that is replaced held when it was read, and the version by which its store knows that."""

    content: bytes
    version: str


class Store(Protocol):
    """The lake, or a part of it. Names are relative, with slashes. Every method raises LakeError where the place
    cannot be used, which says what to do."""

    @property
    def place(self) -> str:
        """The folder or the URL, as messages name it, and Delta opens it."""
        ...

    @property
    def delta_options(self) -> dict[str, str]:
        """What delta-rs needs beside the URL."""
        ...

    @property
    def remedy(self) -> str:
        """What to do where it cannot be written to."""
        ...

    @property
    def spools(self) -> Path:
        """The folder of this machine where rows wait to become the lake's: it outlives the process."""
        ...

    @property
    def machine(self) -> str:
        """Names that folder, where there may be others of other machines."""
        ...

    def within(self, name: str) -> Self:
        """The part of it below that name."""
        ...

    def target(self, name: str) -> Path:
        """Where to write the file of that name before it is put; the folder is made."""
        ...

    def put(self, name: str) -> None:
        """Make what was written at its target a file of the lake."""
        ...

    def fetch(self, names: Iterable[str]) -> list[Path]:
        """Where to read each of these files."""
        ...

    def names(self) -> list[str]:
        """Every file."""
        ...

    def delete(self, names: Iterable[str]) -> None:
        """Remove these files; one that is not there is no error."""
        ...

    def read(self, name: str) -> Pointer | None:
        """What the file of that name holds now; None where there is none."""
        ...

    def replace(self, name: str, content: bytes, version: str | None) -> str | None:
        """Put `content` in the place of that version (None: of nothing), at once or not at all. The new version; None
        where another was there by then."""
        ...

    def tidy(self) -> None:
        """Forget what this machine keeps of the lake and did not use for long."""
        ...

    def examine(self) -> str | None:
        """What is wrong with the place, found out by writing what is removed at once; None where all is well."""
        ...


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder. Whoever writes to it from several machines needs a file system whose locks and renames hold on all."""

    folder: Path

    @property
    def place(self) -> str:
        return str(self.folder)

    @property
    def delta_options(self) -> dict[str, str]:
        return {}

    @property
    def remedy(self) -> str:
        return "free the disk or mend the permissions"

    @property
    def spools(self) -> Path:
        return self.folder / SPOOLS

    @property
    def machine(self) -> str:
        return ""

    def within(self, name: str) -> "FolderStore":
        return FolderStore(self.folder / name)

    def target(self, name: str) -> Path:
        return with_folder(self.folder / name, self.remedy)

    def put(self, name: str) -> None:
        """It is where it belongs."""

    def fetch(self, names: Iterable[str]) -> list[Path]:
        return [self.folder / name for name in names]

    def names(self) -> list[str]:
        return [file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*") if file.is_file()]

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            file = self.folder / name
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise LakeError(f"{file}: cannot be removed: {error.strerror}; {self.remedy}") from error
            with suppress(OSError):  # it is not empty yet
                file.parent.rmdir()

    def read(self, name: str) -> Pointer | None:
        file = self.folder / name
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LakeError(f"{file}: cannot be read: {error.strerror}; mend the permissions") from error
        return Pointer(content, hashlib.sha256(content).hexdigest())

    def replace(self, name: str, content: bytes, version: str | None) -> str | None:
        target = self.target(name)
        try:
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                found = self.read(name)
                if (found and found.version) != version:
                    return None
                with replacing(target) as temporary, temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                os.close(folder)  # which unlocks it
        except OSError as error:
            raise LakeError(f"{target}: cannot be written: {error.strerror}; {self.remedy}") from error
        return hashlib.sha256(content).hexdigest()

    def tidy(self) -> None:
        """It keeps nothing beside the lake."""

    def examine(self) -> str | None:
        target = self.target(f"examined-{os.getpid()}")
        try:
            target.write_bytes(b"")
            target.unlink()
        except OSError as error:
            return f"cannot be written to: {error.strerror}"
        return None


def open_lake(settings: Settings) -> Store:
    """The lake that the settings name. Raises LakeError where its driver is not installed."""
    if not settings.lake.is_elsewhere:
        return FolderStore(settings.lake_dir)
    from pipeline.lake.objects import ObjectStore

    assert settings.lake.url is not None
    return ObjectStore.at(settings.lake.url, settings.lake.options, settings.data_dir)


def with_folder(target: Path, remedy: str) -> Path:
    """The path, its folder made. Raises LakeError where that cannot be, which says what to do."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(f"{target.parent}: cannot be made: {error.strerror}; {remedy}") from error
    return target


def plain_words(error: Exception) -> str:
    """An error of delta-rs or of a store, which has many lines and colours, as one line."""
    line = " ".join(_COLOURS.sub("", str(error)).partition("\n\nDebug source")[0].split())
    return line if len(line) <= _MOST_WORDS else line[: _MOST_WORDS - 1] + "…"


def store_of(lake: Store | Path) -> Store:
    """The store, or that of a folder."""
    return FolderStore(lake) if isinstance(lake, Path) else lake

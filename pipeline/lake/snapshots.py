"""Snapshots of the derived tables: immutable Parquet files and two small pointers that name the current ones.

`staged.json` is where the refresh at work stands; `current.json` is what readers read. Publication replaces the second
with the first in one rename. A table that did not change keeps its file, shared between refreshes; files that no kept
snapshot names are pruned.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import LakeError
from pipeline.lake.files import replacing


@dataclass(frozen=True, slots=True)
class NightPart:
    """What a table holds of one night or of several in a row, from `first` to `last` (ISO dates): a file that is never
    changed, and the name of all that it was made from."""

    file: str
    rows: int
    bytes: int
    first: str
    last: str
    made_from: str


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table of a snapshot: its file (relative to the tables' folder), its rows and size, and the name of all that
    it was made from (same name, same table). A table that grows by the night has several, its `parts`: then `file` is
    the newest of them, and rows and size are those of all."""

    file: str
    rows: int
    bytes: int
    made_from: str
    parts: tuple[NightPart, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(part.file for part in self.parts) or (self.file,)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The current file of each table, by `schema.name`."""

    refresh_id: str
    tables: dict[str, TableFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The folder of snapshots."""

    folder: Path

    def path(self, table: TableFile | NightPart) -> Path:
        return self.folder / table.file

    def paths(self, table: TableFile) -> list[Path]:
        """The files of all its rows."""
        return [self.folder / file for file in table.files]

    def current(self) -> Snapshot | None:
        """What was last published."""
        return self._read("current.json")

    def staged(self) -> Snapshot:
        """What the last stage left, published or not; empty before the first."""
        return self._read("staged.json") or Snapshot("")

    def target(self, refresh_id: str, full_name: str) -> Path:
        """Where the refresh writes its file of a table; the folder is made."""
        folder = self.folder / refresh_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{full_name}.parquet"

    def stage(self, refresh_id: str, tables: Mapping[str, TableFile]) -> None:
        """Put the files that a stage made into the staged snapshot."""
        self._replace("staged.json", Snapshot(refresh_id, self.staged().tables | dict(tables)))

    def publish(self, keep: int) -> None:
        """Make the staged snapshot the current one, keep `keep` snapshots and prune the files none of them names."""
        staged = self.staged()
        if not staged.tables:
            raise LakeError(f"{self.folder}: no staged snapshot to publish; run the whole refresh")
        history = self.folder / "history"
        history.mkdir(parents=True, exist_ok=True)
        self._replace(f"history/{staged.refresh_id}.json", staged)
        self._replace("current.json", staged)
        self._prune(keep)

    def _prune(self, keep: int) -> None:
        kept = sorted((self.folder / "history").glob("*.json"))
        for old in kept[:-keep]:
            old.unlink()
        named = {
            name
            for file in [*(f"history/{path.name}" for path in kept[-keep:]), "staged.json"]
            for table in (self._read(file) or Snapshot("")).tables.values()
            for name in table.files
        }
        folders = {name.partition("/")[0] for name in named}
        for folder in self.folder.iterdir():
            if not folder.is_dir() or folder.name == "history":
                continue
            if folder.name not in folders:
                shutil.rmtree(folder)
                continue
            for file in folder.iterdir():
                if f"{folder.name}/{file.name}" not in named:
                    file.unlink()

    def _read(self, name: str) -> Snapshot | None:
        try:
            values = json.loads((self.folder / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LakeError(f"{self.folder / name}: the snapshot's pointer cannot be read: {error}") from error
        return Snapshot(values["refresh_id"], {name: _table(entry) for name, entry in values["tables"].items()})

    def _replace(self, name: str, snapshot: Snapshot) -> None:
        target = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(target) as temporary, temporary.open("w", encoding="utf-8") as file:
                json.dump(asdict(snapshot), file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LakeError(f"{target}: the snapshot's pointer cannot be written: {error.strerror}") from error


def _table(entry: Mapping[str, Any]) -> TableFile:
    return TableFile(**{**entry, "parts": tuple(NightPart(**part) for part in entry.get("parts", ()))})

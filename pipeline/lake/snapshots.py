"""Snapshots of the derived tables: immutable Parquet files and two small pointers that name the current ones.

`staged.json` is where the refresh at work stands; `current.json` is what readers read. Publication replaces the second
with the first at once. A table that did not change keeps its file, shared between refreshes; files that no kept
snapshot names are pruned.

A refresh claims the lake by replacing `staged.json`, and replaces it only where it is still as it left it: of two that
write from two machines, which no lock keeps apart, the one that began last goes on, and the other one stops before it
has mixed anything with it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import LakeError
from pipeline.lake.files import replacing
from pipeline.lake.store import Store, store_of

_STAGED, _CURRENT, _HISTORY = "staged.json", "current.json", "history"


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
class Staged:
    """A staged snapshot, and the version of the pointer that names it; none where there is no pointer yet."""

    snapshot: Snapshot
    version: str | None


class Snapshots:
    """The snapshots of a lake, in its folder `tables`, as a reader or as the one writer has them."""

    def __init__(self, store: Store | Path) -> None:
        self.store = store_of(store)
        self._own: Staged | None = None
        """What this writer staged last."""

    def path(self, table: TableFile | NightPart) -> Path:
        """Where to read its newest file."""
        return self.store.fetch([table.file])[0]

    def paths(self, table: TableFile) -> list[Path]:
        """Where to read the files of all its rows."""
        return self.store.fetch(table.files)

    def fetch(self, parts: Iterable[NightPart]) -> list[Path]:
        """Where to read each of these."""
        return self.store.fetch(part.file for part in parts)

    def files(self) -> set[str]:
        """Every file that is there."""
        return set(self.store.names())

    def current(self) -> Snapshot | None:
        """What was last published."""
        found = self._read(_CURRENT)
        return None if found.version is None else found.snapshot

    def staged(self) -> Snapshot:
        """What the last stage left, published or not; empty before the first."""
        return (self._own or self.seen()).snapshot

    def seen(self) -> Staged:
        """What is staged now, whoever staged it."""
        return self._read(_STAGED)

    def claim(self, refresh_id: str, seen: Staged) -> None:
        """Have this refresh write from now on, and no other: one that does will stop. Raises LakeError where another
        one has claimed the lake since it was `seen`."""
        self._own = self._replaced(_STAGED, Snapshot(refresh_id, seen.snapshot.tables), seen.version)

    def require_claim(self) -> None:
        """Raises LakeError where another refresh has claimed the lake since."""
        if self._own is not None and self.seen().version != self._own.version:
            raise self._taken(_STAGED)

    def target(self, refresh_id: str, full_name: str) -> Path:
        """Where the refresh writes its file of a table; the folder is made."""
        return self.store.target(f"{refresh_id}/{full_name}.parquet")

    def put(self, target: Path) -> tuple[str, int]:
        """Make what was written at a target a file of the lake; its name and its size."""
        name = f"{target.parent.name}/{target.name}"
        self.store.put(name)
        return name, target.stat().st_size

    def stage(self, refresh_id: str, tables: Mapping[str, TableFile]) -> None:
        """Put the files that a stage made into the staged snapshot. Raises LakeError where another refresh has put some
        there meanwhile."""
        before = self._own or self.seen()
        staged = self._replaced(_STAGED, Snapshot(refresh_id, before.snapshot.tables | dict(tables)), before.version)
        if self._own is not None:
            self._own = staged

    def publish(self, keep: int) -> None:
        """Make the staged snapshot the current one, keep `keep` snapshots and prune the files none of them names."""
        current = self._read(_CURRENT)
        self.require_claim()
        staged = self.staged()
        if not staged.tables:
            raise LakeError(f"{self.store.place}: no staged snapshot to publish; run the whole refresh")
        name = f"{_HISTORY}/{staged.refresh_id}.json"
        with replacing(self.store.target(name)) as temporary:
            temporary.write_bytes(_written(staged))
        self.store.put(name)
        self._replaced(_CURRENT, staged, current.version)
        self._prune(staged.refresh_id, keep)

    def _prune(self, refresh_id: str, keep: int) -> None:
        """What a later refresh has written is left alone: it may have begun on another machine."""
        files = self.files()
        history = sorted(file for file in files if file.startswith(f"{_HISTORY}/"))
        named = {
            name
            for file in [*history[-keep:], _STAGED]
            for table in self._read(file).snapshot.tables.values()
            for name in table.files
        } | {*history[-keep:], _STAGED, _CURRENT}
        self.store.delete(
            file for file in files - named if file.startswith(f"{_HISTORY}/") or file.partition("/")[0] <= refresh_id
        )

    def _read(self, name: str) -> Staged:
        found = self.store.read(name)
        if found is None:
            return Staged(Snapshot(""), None)
        try:
            values = json.loads(found.content)
            tables = {name: _table(entry) for name, entry in values["tables"].items()}
            return Staged(Snapshot(values["refresh_id"], tables), found.version)
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(
                f"{self.store.place}/{name}: the snapshot's pointer cannot be read: {error}; remove it, and every table"
                " is made anew"
            ) from error

    def _replaced(self, name: str, snapshot: Snapshot, version: str | None) -> Staged:
        written = self.store.replace(name, _written(snapshot), version)
        if written is None:
            raise self._taken(name)
        return Staged(snapshot, written)

    def _taken(self, name: str) -> LakeError:
        return LakeError(
            f"{self.store.place}/{name}: another refresh writes to this lake ({self.seen().snapshot.refresh_id}), so"
            " this one stops: nothing of it is published, what it appended to the logs stays, and the next refresh goes"
            " on from there. Let one machine at a time refresh a lake"
        )


def _written(snapshot: Snapshot) -> bytes:
    return json.dumps(asdict(snapshot), indent=1, sort_keys=True).encode()


def _table(entry: Mapping[str, Any]) -> TableFile:
    return TableFile(**{**entry, "parts": tuple(NightPart(**part) for part in entry.get("parts", ()))})

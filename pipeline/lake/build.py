"""Make the tables of a schema of `sql/` into the staged snapshot, and only those whose making changed.

A table's `made_from` names its SQL, its declared columns and all that it reads, down to the versions of the logs: same
name, same table, so its file is kept. What the stale ones read is put into the session only when one of them needs it.
A table that grows by the night has a maker of its own (`nights`).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline.lake.relations import Relation, leans_on, relation, relations
from pipeline.lake.session import Session
from pipeline.lake.snapshots import Snapshots, TableFile
from pipeline.model.tables import TABLES


@dataclass(frozen=True, slots=True)
class Built:
    """A table after its stage: its file, and whether it was made anew."""

    table: TableFile
    is_new: bool


@dataclass(slots=True)
class Builder:
    """Builds into one session.

    `inputs` names the versions of what does not come from `sql/` (logs, forms, `this.refresh`); `providers` put such an
    input into the session when it is first needed. An input that is dear to make can be kept between refreshes. A table
    with a maker is not made by its one SELECT: the maker knows which of its files are still good.
    """

    session: Session
    snapshots: Snapshots
    refresh_id: str
    inputs: Mapping[str, str]
    providers: Mapping[str, Callable[["Builder"], None]] = field(default_factory=dict)
    makers: Mapping[str, Callable[["Builder", Relation], TableFile]] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    _tables: dict[str, TableFile] = field(init=False)
    """What is staged, and what was built since."""
    _files: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._tables = dict(self.snapshots.staged().tables)
        self._files = self.snapshots.files()

    def build(self, schema: str, then: Iterable[Relation] = ()) -> dict[str, Built]:
        """Every table of the schema, by full name, written where it is stale and staged at the end. What neither the
        tables still to be made nor the relations that are asked `then` read is given back on the way."""
        built: dict[str, Built] = {}
        order = relations(schema)
        for position, wanted in enumerate(order):
            table = self._tables.get(wanted.full_name)
            if wanted.full_name in self.makers:
                made = self._tables[wanted.full_name] = self.makers[wanted.full_name](self, wanted)
                built[wanted.full_name] = Built(made, is_new=made != table)
                continue
            made_from = self.made_from(wanted)
            if table is not None and table.made_from == made_from and self.is_there(table.file):
                built[wanted.full_name] = Built(table, is_new=False)
                continue
            self._make(wanted)
            built[wanted.full_name] = Built(self._write(wanted.full_name, wanted.key, made_from), is_new=True)
            self._give_back([*order[position + 1 :], *then])
        self.snapshots.stage(self.refresh_id, {name: entry.table for name, entry in built.items()})
        return built

    def _give_back(self, to_come: Iterable[Relation]) -> None:
        """Drop what the session computed and nothing reads that is still to come: it would be spilled and kept."""
        read = frozenset[str]().union(*map(leans_on, to_come))
        for full_name in [name for name in self._present - read if name.startswith(("staging.", "forms."))]:
            self.session.drop(full_name)
            self._present.remove(full_name)

    def answer(self, query: Relation) -> pa.Table:
        """The rows of a query that is no table, as the checks are."""
        self._need_reads(query)
        return self.session.table(query.sql)

    def kept(self, full_name: str) -> Path | None:
        """The file of an input that an earlier refresh kept, if it was made by the same rules."""
        table = self.staged(full_name)
        if table is None or table.made_from != self.inputs[full_name]:
            return None
        return self.snapshots.path(table)

    def keep(self, full_name: str, key: Iterable[str], made_from: str | None = None) -> None:
        """Keep an input that is in the session for the next refresh, beside the tables."""
        table = self._write(full_name, key, made_from or self.inputs[full_name])
        self.snapshots.stage(self.refresh_id, {full_name: table})

    def staged(self, full_name: str) -> TableFile | None:
        """What is staged of a table, or was built since, if its newest file is still there."""
        table = self._tables.get(full_name)
        return table if table is not None and self.is_there(table.file) else None

    def is_there(self, file: str) -> bool:
        """Whether the lake had that file when this builder began, or has it by now."""
        return file in self._files

    def need(self, full_name: str) -> None:
        """Have a relation in the session, by whichever way it comes."""
        if full_name in self._present or full_name.startswith(("log.", "this.")):
            return
        self._present.add(full_name)
        if full_name in self.providers:
            self.providers[full_name](self)
        elif full_name in self._tables:
            self.session.attach_table(full_name, self.snapshots.paths(self._tables[full_name]))
        else:
            self._make(relation(full_name))

    def _make(self, wanted: Relation) -> None:
        self._need_reads(wanted)
        self.session.make(wanted)
        self._present.add(wanted.full_name)

    def _write(self, full_name: str, key: Iterable[str], made_from: str) -> TableFile:
        file, rows, size = self.write(full_name, key, f"{full_name}-{made_from[:12]}")
        table = self._tables[full_name] = TableFile(file, rows, size, made_from)
        self.session.attach_table(full_name, self.snapshots.paths(table))
        return table

    def write(self, full_name: str, key: Iterable[str], name: str) -> tuple[str, int, int]:
        """Write a table of the session as a file of the lake that is called so; the file, its rows and its size."""
        target = self.snapshots.target(self.refresh_id, name)
        rows = self.session.write(full_name, key, target)
        file, size = self.snapshots.put(target)
        self._files.add(file)
        return file, rows, size

    def _need_reads(self, wanted: Relation) -> None:
        for read in sorted(wanted.reads):
            self.need(read)

    def made_from(self, wanted: Relation) -> str:
        """The name of all that a relation is made from."""
        table = TABLES.get(wanted.full_name)
        parts = [wanted.sql, table.select_list() if table else "", *map(self._name, sorted(wanted.reads))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def _name(self, full_name: str) -> str:
        """The name of what a relation reads. A table has kept its own: relations are built in the order they read."""
        if full_name in self.inputs:
            return self.inputs[full_name]
        if full_name in self._tables or full_name in TABLES:
            return self._tables[full_name].made_from
        if full_name not in self._names:
            self._names[full_name] = self.made_from(relation(full_name))
        return self._names[full_name]

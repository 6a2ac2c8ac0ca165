"""Make the tables of a schema of `sql/` into the staged snapshot, and only those whose making changed.

A table's `made_from` names its SQL, its declared columns and all that it reads, down to the versions of the logs: same
name, same table, so its file is kept. What the stale ones read is put into the session only when one of them needs it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipeline.lake.relations import Relation, relation, relations
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
    input into the session when it is first needed.
    """

    session: Session
    snapshots: Snapshots
    refresh_id: str
    inputs: Mapping[str, str]
    providers: Mapping[str, Callable[["Builder"], None]] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    _schema: str = ""

    def build(self, schema: str) -> dict[str, Built]:
        """Every table of the schema, by full name, written where it is stale and staged at the end."""
        self._schema = schema
        self._names.clear()
        staged = self.snapshots.staged().tables
        built: dict[str, Built] = {}
        for wanted in relations(schema):
            made_from = self.made_from(wanted.full_name)
            table = staged.get(wanted.full_name)
            if table is not None and table.made_from == made_from and self.snapshots.path(table).exists():
                built[wanted.full_name] = Built(table, is_new=False)
                continue
            self._make(wanted)
            target = self.snapshots.target(self.refresh_id, wanted.full_name)
            rows = self.session.write(wanted, target)
            table = TableFile(f"{target.parent.name}/{target.name}", rows, target.stat().st_size, made_from)
            built[wanted.full_name] = Built(table, is_new=True)
        self.snapshots.stage(self.refresh_id, {name: entry.table for name, entry in built.items()})
        return built

    def made_from(self, full_name: str) -> str:
        """The name of all that a relation is made from; a table of another schema has kept its own."""
        if full_name in self.inputs:
            return self.inputs[full_name]
        if full_name in TABLES and TABLES[full_name].schema != self._schema:
            return self.snapshots.staged().tables[full_name].made_from
        if full_name not in self._names:
            wanted = relation(full_name)
            table = TABLES.get(full_name)
            parts = [wanted.sql, table.select_list() if table else "", *map(self.made_from, sorted(wanted.reads))]
            self._names[full_name] = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
        return self._names[full_name]

    def need(self, full_name: str) -> None:
        """Have a relation in the session, by whichever way it comes."""
        if full_name in self._present or full_name.startswith(("log.", "this.")):
            return
        self._present.add(full_name)
        if full_name in self.providers:
            self.providers[full_name](self)
        elif full_name.startswith("staging."):
            self._make(relation(full_name))
        else:
            table = self.snapshots.staged().tables[full_name]
            self.session.attach_table(full_name, self.snapshots.path(table))

    def _make(self, wanted: Relation) -> None:
        for read in sorted(wanted.reads):
            self.need(read)
        self.session.make(wanted)
        self._present.add(wanted.full_name)

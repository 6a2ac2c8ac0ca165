"""A disposable memory of what each file looked like from outside when it was last read.

Losing it costs one pass of parsing; it can never lose content, since it is believed only while the log it was made
for is the one at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather

_STAT = ("path", "size", "mtime_ns", "ctime_ns", "inode")
_MADE_FOR = b"made_for"
RACY_NS = 2_000_000_000
"""A file touched this shortly before it was read may be touched again within the clock's grain: it is hashed next
time."""


@dataclass(frozen=True, slots=True)
class StatCache:
    """The cache of one source in `file`, believed only where it was `made_for` the same log, rules and folder (asked
    at each use, since the first refresh makes the log)."""

    file: Path
    made_for: Callable[[], str]
    walked_ns: int

    def read(self) -> pa.Table | None:
        """The remembered stats; None where there are none to believe."""
        try:
            table = pyarrow.feather.read_table(self.file)
        except (OSError, pa.ArrowInvalid):
            return None
        made_for = (table.schema.metadata or {}).get(_MADE_FOR, b"")
        return table if made_for == self.made_for().encode() else None

    def changed(self, found: pa.Table, cached: pa.Table | None) -> pa.Table:
        """The rows of `found` that are not exactly as remembered, in the order of their paths."""
        if cached is None:
            return found
        if found.select(_STAT).equals(cached.select(_STAT)):
            return found.slice(0, 0)
        return found.join(cached.select(_STAT), keys=list(_STAT), join_type="left anti").sort_by("path")

    def vanished(self, found: pa.Table, cached: pa.Table | None) -> bool:
        """Whether a remembered path is no longer there."""
        if cached is None:
            return False
        return bool(pc.any(pc.invert(pc.is_in(cached["path"], value_set=found["path"]))).as_py())

    def write(self, found: pa.Table) -> None:
        """Remember `found`; what was touched just before the walk is remembered as never seen."""
        touched = pc.max_element_wise(found["mtime_ns"], found["ctime_ns"])
        is_racy = pc.greater(touched, self.walked_ns - RACY_NS)
        inode = pc.if_else(is_racy, pa.scalar(-1, pa.int64()), found["inode"])
        table = found.set_column(found.column_names.index("inode"), "inode", inode).combine_chunks()
        table = table.replace_schema_metadata({_MADE_FOR: self.made_for().encode()})
        temporary = self.file.with_suffix(".tmp")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.feather.write_feather(table, temporary)
        temporary.replace(self.file)

"""A disposable memory of what each file looked like from outside when it was last read.

Losing it costs one pass of parsing; it can never lose content, since it is believed only while the log it was made
for is the one at hand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather

from pipeline.lake.files import replacing

_MADE_FOR = b"made_for"
RACY_NS = 2_000_000_000
"""A file touched this shortly before it was read may be touched again within the clock's grain: it is hashed next
time."""


@dataclass(frozen=True, slots=True)
class StatCache:
    """The cache of one source in `file`, believed only where it was `made_for` the same log, rules and tree (asked
    at each use, since the first refresh makes the log). What it remembers are the rows of `Tree.find`."""

    file: Path
    made_for: Callable[[], str]
    walked_ns: int

    def read(self) -> pa.Table | None:
        """The remembered rows; None where there are none to believe."""
        try:
            table = pyarrow.feather.read_table(self.file)
        except (OSError, pa.ArrowInvalid):
            return None
        made_for = (table.schema.metadata or {}).get(_MADE_FOR, b"")
        return table if made_for == self.made_for().encode() else None

    def changed(self, found: pa.Table, cached: pa.Table | None) -> pa.Table:
        """The rows of `found` that are not exactly as remembered."""
        if cached is None:
            return found
        if found.equals(cached):
            return found.slice(0, 0)
        return found.join(cached, keys=found.column_names, join_type="left anti")

    def vanished(self, found: pa.Table, cached: pa.Table | None) -> pa.Table:
        """The remembered paths that are no longer there: one column, `path`."""
        remembered = found.slice(0, 0) if cached is None else cached
        paths = remembered.select(["path"])
        return paths.filter(pc.invert(pc.is_in(paths["path"], value_set=found["path"])))

    def write(self, found: pa.Table, unread: Sequence[str]) -> None:
        """Remember `found`, as never seen those that were left `unread`: what keeps a file from being read may end
        without a trace on it. So are those files of a folder that were touched just before the walk."""
        if unread:
            is_unread = pc.is_in(found["path"], value_set=pa.array(unread, pa.string()))
            size = pc.if_else(is_unread, pa.scalar(-1, pa.int64()), found["size"])
            found = found.set_column(found.column_names.index("size"), found.schema.field("size"), size)
        if "inode" in found.column_names:
            touched = pc.max_element_wise(found["mtime_ns"], found["ctime_ns"])
            is_racy = pc.greater(touched, self.walked_ns - RACY_NS)
            inode = pc.if_else(is_racy, pa.scalar(-1, pa.int64()), found["inode"])
            found = found.set_column(found.column_names.index("inode"), found.schema.field("inode"), inode)
        table = found.combine_chunks().replace_schema_metadata({_MADE_FOR: self.made_for().encode()})
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.file) as temporary:
            pyarrow.feather.write_feather(table, temporary, compression="lz4")

"""A disposable memory of what each file looked like from outside when it was last read.

Losing it costs one pass of parsing; it can never lose content, since it is believed only while the log it was made
for is the one at hand. It is written, read and compared in batches: it never stands in memory whole.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake.files import replacing

_MADE_FOR = b"made_for"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
RACY_NS = 2_000_000_000
"""A file touched this shortly before it was read may be touched again within the clock's grain: it is hashed next
time."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What `Tree.find` found, kept in a file."""

    file: Path
    schema: pa.Schema
    num_rows: int

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in the order of the walk."""
        return _batches(self.file)


@dataclass(frozen=True, slots=True)
class StatCache:
    """The cache of one source in `file`, believed only where it was `made_for` the same log, rules and tree (asked
    at each use, since the first refresh makes the log). What it remembers are the rows of `Tree.find`."""

    file: Path
    made_for: Callable[[], str]
    walked_ns: int

    @contextmanager
    def walked(self, found: pa.RecordBatchReader) -> Iterator[Walked]:
        """What is found, in a file beside the cache until the block ends."""
        file = self.file.with_name(self.file.name + ".walk")
        file.parent.mkdir(parents=True, exist_ok=True)
        num_rows = 0
        try:
            with pa.ipc.new_file(str(file), found.schema, options=_OPTIONS) as rows:
                for batch in found:
                    rows.write_batch(batch)
                    num_rows += batch.num_rows
            yield Walked(file, found.schema, num_rows)
        finally:
            file.unlink(missing_ok=True)

    def read(self) -> Iterator[pa.RecordBatch] | None:
        """The remembered rows; None where there are none to believe."""
        try:
            with pa.ipc.open_file(str(self.file)) as rows:
                made_for = (rows.schema.metadata or {}).get(_MADE_FOR, b"")
        except (OSError, pa.ArrowInvalid):
            return None
        return _batches(self.file) if made_for == self.made_for().encode() else None

    def write(self, found: Walked, unread: Sequence[str]) -> None:
        """Remember what was found, as never seen those that were left `unread`: what keeps a file from being read may
        end without a trace on it. So are those files of a folder that were touched just before the walk."""
        left = pa.array(unread, pa.string())
        schema = found.schema.with_metadata({_MADE_FOR: self.made_for().encode()})
        with replacing(self.file) as temporary, pa.ipc.new_file(str(temporary), schema, options=_OPTIONS) as rows:
            for batch in found.batches():
                rows.write_batch(self._marked(batch, left).replace_schema_metadata(schema.metadata))

    def _marked(self, batch: pa.RecordBatch, unread: pa.Array) -> pa.RecordBatch:
        if len(unread):
            batch = _with(batch, "size", pc.is_in(batch["path"], value_set=unread))
        if "inode" in batch.schema.names:
            touched = pc.max_element_wise(batch["mtime_ns"], batch["ctime_ns"])
            batch = _with(batch, "inode", pc.greater(touched, self.walked_ns - RACY_NS))
        return batch


@dataclass(frozen=True, slots=True)
class Paths:
    """Some of the paths that are not as remembered: `there`, with another look or never seen, or `gone`."""

    there: pa.ChunkedArray
    gone: pa.ChunkedArray


def changes(found: Walked, remembered: Iterator[pa.RecordBatch]) -> Iterator[Paths]:
    """Every path whose row is not the same in both.

    They are compared in step; what is not yet in the other waits for its counterpart. While the order holds, only what
    is new and what is gone waits.
    """
    nothing = found.schema.empty_table()
    new, old = nothing, nothing
    for here, before in zip_longest(found.batches(), remembered):
        if not new.num_rows and not old.num_rows and here and before and here["path"].equals(before["path"]):
            yield Paths(pa.chunked_array([here["path"].filter(_unlike(here, before))]), nothing["path"])
            continue
        new, old = _and(new, here), _and(old, before)
        counterparts = pc.index_in(new["path"], value_set=old["path"])
        both = new.filter(counterparts.is_valid())
        yield Paths(both["path"].filter(_unlike(both, old.take(counterparts.drop_null()))), nothing["path"])
        old = old.filter(pc.invert(pc.is_in(old["path"], value_set=both["path"])))
        new = new.filter(counterparts.is_null())
    yield Paths(new["path"], old["path"])


def _and(waiting: pa.Table, batch: pa.RecordBatch | None) -> pa.Table:
    return pa.concat_tables([waiting, pa.Table.from_batches([batch])]) if batch else waiting


def _unlike(here: pa.RecordBatch | pa.Table, before: pa.RecordBatch | pa.Table) -> pa.Array:
    """Of two lists of the same paths, which rows differ."""
    return reduce(pc.or_, (pc.not_equal(here[name], before[name]) for name in here.schema.names))


def _with(batch: pa.RecordBatch, name: str, unknown: pa.Array) -> pa.RecordBatch:
    """The batch with a value that no file has in those rows of a column."""
    place = batch.schema.get_field_index(name)
    values = pc.if_else(unknown, pa.scalar(-1, pa.int64()), batch[name])
    return batch.set_column(place, batch.schema.field(name), values)


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as rows:
        for number in range(rows.num_record_batches):
            yield rows.get_batch(number)

"""Rows that are safe the moment they are written, though they are of the log only later.

A commit of the log takes tens of milliseconds, a file beside it two. So whoever observes for hours writes small parts
into a spool, which becomes one part of the log at its end. A process that is killed leaves its spool; the next one
takes it up. Each batch of parts has a number that its commit carries (an application transaction of Delta): a batch
whose process died between the commit and the cleaning is not committed twice.

Belongs here: parts between their writing and their commit. Does not belong here: what the rows say.
"""

import shutil
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from pipeline.errors import LakeError
from pipeline.lake.logs import Log

BATCH_ROWS = 50_000
"""So many rows are committed at once: what of them is read back into memory for that stays small."""
_TORN, _PART = ".torn", ".arrow"


class Spool:
    """The spool of one log and one shard. Only one of a shard may be at work; the lock of the refresh sees to that."""

    def __init__(self, log: Log, shard: int = 0) -> None:
        self._log = log
        self._name = f"spool-{shard}{f'-{log.store.machine}' if log.store.machine else ''}"
        self.folder = log.store.spools / str(shard)
        self._rows = self._parts = 0
        self._batch: Path | None = None

    @classmethod
    def commit_all(cls, log: Log) -> None:
        """Commit what every shard has left that died. Raises as `commit`."""
        for folder in sorted(log.store.spools.glob("*")):
            if folder.name.isdigit():
                cls(log, int(folder.name)).commit()

    def append(self, rows: pa.Table) -> None:
        """Put `rows` on the disk. Raises LakeError where that fails."""
        if not rows.num_rows:
            return
        try:
            if self._batch is None:
                last = max([self._log.batches(self._name), *(int(left.name) for left in self._batches())])
                self._batch = self.folder / str(last + 1)
                self._batch.mkdir(parents=True)
            torn = self._batch / f"{self._parts:08}{_TORN}"
            # Arrow's own format, which costs a tenth of Parquet's: these files live for minutes.
            feather.write_feather(rows.cast(self._log.schema), torn, compression="lz4")
            torn.rename(torn.with_suffix(_PART))
        except OSError as error:
            raise LakeError(
                f"{self.folder}: {rows.num_rows} rows for the {self._log.name} log could not be kept: {error};"
                " free the disk or mend the permissions and run the refresh again"
            ) from error
        self._parts += 1
        self._rows += rows.num_rows
        if self._rows >= BATCH_ROWS:
            self.commit()

    def commit(self) -> None:
        """Make every row on the disk, those of a process that died included, a row of the log. Raises LakeError where
        that fails; nothing is lost then."""
        self._batch, self._rows, self._parts = None, 0, 0
        for batch in sorted(self._batches(), key=lambda batch: int(batch.name)):
            number = int(batch.name)
            if number > self._log.batches(self._name):
                self._log.commit_batch(self._name, number, self._read(batch))
            with suppress(OSError):  # cleaned next time
                shutil.rmtree(batch)

    def _batches(self) -> list[Path]:
        try:
            return [entry for entry in self.folder.iterdir() if entry.name.isdigit()]
        except FileNotFoundError:
            return []

    def _read(self, batch: Path) -> pa.Table:
        try:
            parts = [
                feather.read_table(part, memory_map=False).cast(self._log.schema)
                for part in sorted(batch.glob(f"*{_PART}"))
            ]
        except (OSError, pa.ArrowInvalid) as error:
            raise LakeError(
                f"{batch}: what was kept for the {self._log.name} log cannot be read: {error}; mend the permissions, or"
                " move the folder away to go on without it"
            ) from error
        return pa.concat_tables([self._log.schema.empty_table(), *parts])

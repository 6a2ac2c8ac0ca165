"""The three append-only logs as Delta tables. Nothing here updates or deletes a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from pipeline.errors import LakeError
from pipeline.model.logs import DOCUMENTS, LINK_CHECKS, REFRESHES

ROW_GROUP_ROWS = 122_880
"""DuckDB's own row-group size: Parquet with others loads slower and makes larger files (measured on 9 M rows)."""

_WRITING = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=ROW_GROUP_ROWS)


@dataclass(frozen=True, slots=True)
class Log:
    """One append-only log: `append` commits a table of its schema, `files` lists what to read."""

    name: str
    schema: pa.Schema
    folder: Path

    def append(self, rows: pa.Table) -> None:
        """Commit `rows` at once or not at all. No rows, no commit. Raises LakeError where the log cannot be written."""
        if not rows.num_rows:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_deltalake(
                self.folder,
                rows.cast(self.schema),
                mode="append",
                schema_mode="merge",  # a log that an earlier version began has fewer columns
                writer_properties=_WRITING,
                name=self.name,
            )
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"{self.folder}: {rows.num_rows} rows could not be appended to the {self.name} log: {error}."
                " Nothing of them was kept; free the disk or mend the permissions and run the refresh again"
            ) from error

    def files(self) -> list[str]:
        """The Parquet files of the current version, none where nothing was ever appended."""
        table = self._open()
        return [] if table is None else table.file_uris()

    def state(self) -> str:
        """Names the content of the log: its table's id and version; empty where nothing was ever appended."""
        table = self._open()
        return "" if table is None else f"{table.metadata().id}@{table.version()}"

    def table_id(self) -> str:
        """Names the log itself, whatever it holds."""
        return self.state().partition("@")[0]

    def _open(self) -> DeltaTable | None:
        try:
            return DeltaTable(self.folder)
        except TableNotFoundError:
            return None
        except (OSError, DeltaError) as error:
            raise LakeError(f"{self.folder}: the {self.name} log cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Logs:
    """The three logs of a lake."""

    documents: Log
    link_checks: Log
    refreshes: Log

    @classmethod
    def of(cls, lake: Path) -> "Logs":
        def log(name: str, schema: pa.Schema) -> Log:
            return Log(name, schema, lake / "log" / name)

        return cls(log("documents", DOCUMENTS), log("link_checks", LINK_CHECKS), log("refreshes", REFRESHES))

    def __iter__(self) -> Iterator[Log]:
        return iter((self.documents, self.link_checks, self.refreshes))

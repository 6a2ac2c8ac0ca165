"""Finding and reading the files of a folder, as a source does, without a refresh around it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipeline.content import Folder, Reader, Rules


def find_files(root: Path, include: Sequence[str], exclude: Sequence[str]) -> pa.Table:
    """The files of a folder, sorted by path."""
    return Folder(root).find(include, exclude).read_all().sort_by("path")


def read_files(
    root: Path, source: str, paths: Sequence[str], rules: Rules, seen_at: datetime, refresh_id: str
) -> pa.Table:
    """A row of the documents log for each of those files."""
    return Reader(source, rules, seen_at, refresh_id).read(Folder(root), paths).rows

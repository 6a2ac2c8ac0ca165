"""What `newsledger issues` lists: the problems that files of the last published refresh still have.

A file is named so that an editor opens it. Names, messages and excerpts come from the world: whatever a terminal would
not print as a sign of its own is escaped, so that a line stays one line.
"""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from pipeline.content import path_bytes
from pipeline.content.issues import CODES
from pipeline.errors import QueryError
from pipeline.model.text import printable
from pipeline.settings import Settings
from pipeline.warehouse import query, read_file


class Severity(StrEnum):
    """The gravest first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_PROBLEMS = """
select source, path, line, "column", severity, code, pointer, message, raw as excerpt
from coverage.document_issues
where list_contains($severities, severity)
    and ($source is null or source = $source)
    and ($code is null or code = $code)
order by list_position($severities, severity), source, path, line, "column", pointer, code
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which problems are asked for: of one source, of one code, down to a severity; None is any."""

    source: str | None = None
    code: str | None = None
    severity: Severity | None = None


def current_problems(settings: Settings, wanted: Wanted) -> pa.Table:
    """The problems that are wanted, errors first, then by path. Raises QueryError for a name that nothing has."""
    names = [source.name for source in settings.sources]
    if wanted.source is not None and wanted.source not in names:
        raise QueryError(f"{wanted.source}: no such source; the settings name {', '.join(names)}")
    if wanted.code is not None and wanted.code not in CODES:
        raise QueryError(f"{wanted.code}: no such code; there are {', '.join(CODES)}")
    all_severities = list(Severity)
    least = wanted.severity or (Severity.INFO if wanted.code else Severity.WARNING)
    severities = all_severities[: all_severities.index(least) + 1]
    parameters = {"severities": severities, "source": wanted.source, "code": wanted.code}
    return query(read_file(settings.warehouse_file), _PROBLEMS, parameters)


def print_problems(problems: pa.Table, settings: Settings) -> None:
    """Each as `path:line:column: severity: code: message`, and below it what stands there."""
    folders = {source.name: source.path for source in settings.sources}
    here = Path.cwd()
    lines = []
    for row in problems.to_pylist():
        file = _printed_path(folders.get(row["source"]), row["source"], row["path"], here)
        place = "".join(f":{number}" for number in (row["line"], row["column"]) if number is not None)
        lines.append(f"{file}{place}: {row['severity']}: {row['code']}: {printable(row['message'])}\n")
        if row["excerpt"]:
            lines.append(f"    {printable(row['excerpt'])}\n")
    text = "".join(lines) or "no problems\n"
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _printed_path(folder: Path | None, source: str, path: str, here: Path) -> str:
    """The file as it is opened from `here`; of a source that is no folder, its name and the path inside it."""
    if folder is None:
        return f"{source}:{printable(path)}"
    file = os.fsencode(folder) + b"/" + path_bytes(path)
    below = os.fsencode(here).rstrip(b"/") + b"/"
    return printable(file.removeprefix(below).decode("utf-8", "backslashreplace"))

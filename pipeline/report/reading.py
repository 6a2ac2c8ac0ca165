"""Ask a built warehouse what the page tells. Rows in, plain values out; no HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import WarehouseError
from pipeline.report.pictures import PICTURES, Picture
from pipeline.report.sections import SECTIONS, Kind, Section, statement

ROWS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Refresh:
    """The last refresh; the fields are the columns of `statements/refresh.sql`, in order."""

    started_at: datetime
    night: date
    clock: str
    rehearsal: bool
    files_seen: int
    files_accepted: int
    files_rejected: int
    files_skipped: int
    files_unchanged: int
    files_removed: int
    urls_due: int | None
    urls_checked: int | None
    urls_postponed: int | None
    void_reason: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the warehouse holds; the fields are the columns of `statements/holdings.sql`, in order."""

    stories: int
    articles: int
    mentions: int
    outlets: int
    links: int


@dataclass(frozen=True, slots=True)
class News:
    """What the morning is asked first; the fields are the columns of `statements/morning.sql`, in order."""

    died: int
    broke: int
    revived: int
    moved: int
    barred: int
    unjudged: int | None
    rejected: int


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many links have this last judgement."""

    verdict: str
    links: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link stands; the fields are those of the struct in `statements/dead_links.sql`."""

    path: str
    pointer: str
    source: str
    story: str | None


@dataclass(frozen=True, slots=True)
class Pictured:
    """A picture with the rows that it shows: none where they are too few to see anything in."""

    picture: Picture
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A section with its pictures, the rows that are shown and the count of all."""

    section: Section
    pictures: tuple[Pictured, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int

    @property
    def unseen(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Morning:
    """All that the page tells; `refresh` is None in a warehouse that no refresh is recorded in."""

    refresh: Refresh | None
    news: News
    holdings: Holdings
    verdicts: tuple[VerdictCount, ...]
    tables: tuple[Filled, ...]


def read_morning(file: Path) -> Morning:
    """What the warehouse `file` has to tell. Raises WarehouseError where it cannot be read."""
    try:
        connection = duckdb.connect(str(file), read_only=True)
        try:
            connection.execute("set TimeZone = 'UTC'")
            return Morning(
                refresh=next((Refresh(*row) for row in _rows(connection, statement("refresh"))), None),
                news=News(*_rows(connection, statement("morning"))[0]),
                holdings=Holdings(*_rows(connection, statement("holdings"))[0]),
                verdicts=tuple(VerdictCount(*row) for row in _rows(connection, statement("verdicts"))),
                tables=tuple(_filled(connection, section) for section in SECTIONS),
            )
        finally:
            connection.close()
    except duckdb.Error as error:
        raise WarehouseError(f"{file}: no report can be made of this warehouse: {error}") from error


def _filled(connection: duckdb.DuckDBPyConnection, section: Section) -> Filled:
    # The statements are the package's own files; nothing of the world is put into them.
    rows = _rows(connection, f"{section.statement}\nlimit {ROWS_SHOWN}")
    total: int = len(rows)
    if total == ROWS_SHOWN:
        total = _rows(connection, f"select count(*) from ({section.statement})")[0][0]
    pictures = tuple(_pictured(connection, PICTURES[name]) for name in section.pictures)
    return Filled(section, pictures, tuple(_values(section, row) for row in rows), total)


def _pictured(connection: duckdb.DuckDBPyConnection, picture: Picture) -> Pictured:
    rows = _rows(connection, picture.statement)
    return Pictured(picture, tuple(rows) if len(rows) >= picture.least else ())


def _values(section: Section, row: Sequence[object]) -> tuple[object, ...]:
    return tuple(
        tuple(Place(**place) for place in value) if column.kind is Kind.PLACES and isinstance(value, list) else value
        for column, value in zip(section.columns, row, strict=True)
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()

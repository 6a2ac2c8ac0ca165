"""What the tests of the tables stand on: an archive made by the test and refreshed by the product's own stages, and
hand-made tables for one relation of `sql/` alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa
import yaml

from pipeline.assets.coverage import coverage_builder
from pipeline.assets.documents import take_in
from pipeline.checks import blocks, checks_on, run_checks
from pipeline.content import Counts
from pipeline.lake.build import Built
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import Relation, relation
from pipeline.lake.session import Session, open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.model.logs import DOCUMENTS, LINK_CHECKS, REFRESHES
from pipeline.model.tables import TABLES
from pipeline.settings import Settings

FIRST_REFRESH = datetime(2026, 3, 1, 2, tzinfo=UTC)
_LOGS = {"log.documents": DOCUMENTS, "log.link_checks": LINK_CHECKS, "log.refreshes": REFRESHES}
# What stands in a column that a test does not name, where the column must have a value.
_PLAIN: dict[str, object] = {
    "VARCHAR": "",
    "UUID": str(UUID(int=0)),
    "INTEGER": 0,
    "BIGINT": 0,
    "BOOLEAN": False,
    "DOUBLE": 0.0,
    "DATE": date(2026, 3, 1),
    "TIMESTAMPTZ": FIRST_REFRESH,
}

Row = Mapping[str, object]


def front_matter(values: Mapping[str, object], body: str = "") -> str:
    """A file of those keys."""
    return f"---\n{yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)}---\n{body}"


@dataclass(slots=True)
class Archive:
    """An archive that a test writes, and the tables that a refresh makes of it. Refreshes are a day apart."""

    settings: Settings
    counts: Counts = field(default_factory=Counts)
    refreshes: int = 0

    @property
    def folder(self) -> Path:
        path = self.settings.sources[0].path
        assert path is not None
        return path

    def write(self, path: str, content: Mapping[str, object] | str | bytes) -> Path:
        """Write a file: front matter of those keys, or just those bytes."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str | bytes) else front_matter(content)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def refresh(self) -> dict[str, Built]:
        """Read every source and build the tables, as the assets do. Every blocking check passes and every key is
        unique, whatever the test is about."""
        now = (FIRST_REFRESH + timedelta(days=self.refreshes)).isoformat()
        self.refreshes += 1
        with begin_refresh(self.settings, f"run {self.refreshes}", now) as refresh:
            for source in self.settings.sources:
                self.counts = take_in(refresh, source)
            with refresh.session() as session:
                builder = coverage_builder(refresh, session)
                blocking = [*filter(blocks, checks_on("coverage"))]
                built = builder.build("coverage", blocking)
                results = [result for found in run_checks(builder, blocking).values() for result in found]
        assert [result.description for result in results if not result.passed] == []
        with self._tables(built) as connection:
            repeated = {name: repeated_keys(connection, relation(name)) for name in built}
        assert {name: rows for name, rows in repeated.items() if rows} == {}
        return built

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Every row of a query over the tables of the last refresh, ids as text."""
        with self._tables(name for name in TABLES if name in sql) as connection:
            rows = connection.execute(sql, parameters).fetchall()
        return [tuple(str(value) if isinstance(value, UUID) else value for value in row) for row in rows]

    def column(self, sql: str, parameters: Sequence[object] = ()) -> list[object]:
        """The rows of a query of one column."""
        return [value for (value,) in self.query(sql, parameters)]

    def files(self) -> dict[str, Path]:
        """The Parquet file of each table, and of what is kept beside them."""
        snapshots = Snapshots(self.settings.lake_dir / "tables")
        return {name: snapshots.path(table) for name, table in snapshots.staged().tables.items()}

    @contextmanager
    def _tables(self, names: Iterable[str]) -> Iterator[duckdb.DuckDBPyConnection]:
        files = self.files()
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'; create schema coverage")
            for name in names:
                connection.execute(f"create view {name} as from read_parquet('{files[name]}')")
            yield connection


def repeated_keys(connection: duckdb.DuckDBPyConnection, made: Relation) -> list[tuple[object, ...]]:
    """The keys that name more than one row of a table."""
    key = ", ".join(f'"{column}"' for column in made.key)
    return connection.execute(f"select {key} from {made.full_name} group by all having count(*) > 1").fetchall()


@contextmanager
def hand_made(tables: Mapping[str, Iterable[Row]], scratch: Path) -> Iterator[Session]:
    """A session with those tables alone. A declared table has its declared columns, and plain values where a row names
    none; the others have what their rows name."""
    with open_session("200MB", scratch) as session:
        for name, rows in tables.items():
            give(session, name, rows)
        yield session


def give(session: Session, name: str, rows: Iterable[Row]) -> None:
    """Put a hand-made table into the session, in the place of an earlier one of its name."""
    if name in TABLES:
        _give_declared(session, name, rows)
    elif name in _LOGS:
        session.give(name, _log_rows(_LOGS[name], rows))
    else:
        session.give(name, pa.Table.from_pylist([dict(row) for row in rows]))
        session.run(f"comment on table {name} is 'given'")


def yielded(session: Session, full_name: str) -> list[dict[str, object]]:
    """What the SQL of a declared table makes of the session's tables, in the order of its key, ids as text."""
    made = relation(full_name)
    _make_staging(session, made)
    order = ", ".join(f'"{column}"' for column in made.key)
    query = f"select {TABLES[full_name].select_list()} from (\n{made.sql}\n) order by {order}"
    rows = session.connection.execute(query)
    names = [column[0] for column in rows.description or ()]
    return [
        {name: str(value) if isinstance(value, UUID) else value for name, value in zip(names, row, strict=True)}
        for row in rows.fetchall()
    ]


def staged(session: Session, full_name: str, order: str) -> list[dict[str, object]]:
    """The rows that the SQL of `sql/staging` makes of the session's tables, in that order."""
    made = relation(full_name)
    _make_staging(session, made)
    rows = session.connection.execute(f"select * from (\n{made.sql}\n) order by {order}")
    names = [column[0] for column in rows.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def _make_staging(session: Session, made: Relation) -> None:
    """Make what the relation reads of `staging` and the test did not give, of what it did."""
    for read in sorted(made.reads):
        if read.startswith("staging.") and not _is_given(session, read):
            _make_staging(session, relation(read))
            session.make(relation(read))


def _is_given(session: Session, full_name: str) -> bool:
    sql = "select count(*) from duckdb_tables() where schema_name = 'staging' and table_name = ? and comment = 'given'"
    return session.value(sql, [full_name.removeprefix("staging.")]) == 1


def uid(number: int) -> str:
    """An id that a reader can tell from others."""
    return str(UUID(int=number))


def _give_declared(session: Session, name: str, rows: Iterable[Row]) -> None:
    columns = TABLES[name].columns
    plain = {column.name: None if column.nullable else _plain(column.type) for column in columns}
    full = []
    for row in rows:
        assert row.keys() <= plain.keys(), f"{name} has no column {row.keys() - plain.keys()}"
        full.append(plain | dict(row))
    session.give("given", pa.table({column: pa.array([row[column] for row in full]) for column in plain}))
    session.run(f"create or replace table {name} as select {TABLES[name].select_list()} from given")


def _plain(type_: str) -> object:
    return [] if type_.endswith("[]") else _PLAIN[type_]


def _log_rows(schema: pa.Schema, rows: Iterable[Row]) -> pa.Table:
    plain = {
        pa.string(): "",
        pa.date32(): date(2026, 3, 1),
        pa.timestamp("us", tz="UTC"): FIRST_REFRESH,
        pa.bool_(): False,
        pa.int32(): 0,
    }
    values = {column.name: None if column.nullable else plain[column.type] for column in schema}
    return pa.Table.from_pylist([values | dict(row) for row in rows], schema=schema)

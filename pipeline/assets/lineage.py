"""Where each column of a table comes from, read off the SQL: seen through CTEs, staging and forms, to the tables and
logs that are assets. Counts of rows and literals come from no column."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import dagster as dg
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from pipeline.checks import asset_key
from pipeline.coverage import COMPUTED, Computed
from pipeline.lake.files import replacing
from pipeline.lake.nights import ASKED_URL_COLUMNS
from pipeline.lake.relations import relation, relations
from pipeline.model.logs import DOCUMENTS, LINK_CHECKS, REFRESHES
from pipeline.model.tables import LINK_RECORDS, TABLES

Column = tuple[str, str]
"""A relation's full name, and one of its columns."""
Columns = dict[str, dict[str, dict[str, str]]]
"""Schema, relation and column, each with the type that sqlglot may know it by."""

_COMPUTED = COMPUTED | {
    "forms.asked_urls": Computed(ASKED_URL_COLUMNS, (("log.link_checks", "url_id"), ("log.link_checks", "request_url")))
}
_LOGS = {"log.documents": DOCUMENTS, "log.link_checks": LINK_CHECKS, "log.refreshes": REFRESHES}
LOGGER = logging.getLogger("newsledger.lineage")
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # which warns of structs that it cannot follow into


def column_lineage(full_name: str, log_keys: Mapping[str, Iterable[dg.AssetKey]]) -> dg.TableColumnLineage:
    """The lineage of a table's columns; `log_keys` are the assets that fill the documents log."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(key, read)
                for source, read in sorted(origins)
                for key in (log_keys[source] if source == "log.documents" else [asset_key(source)])
            ]
            for column, origins in column_origins(full_name).items()
        }
    )


@cache
def column_origins(full_name: str) -> dict[str, frozenset[Column]]:
    """Of each column of a relation of `sql/`, the columns of tables and logs that it is made from."""
    remembered = _remembered(full_name)
    try:
        told = json.loads(remembered.read_text("utf-8"))
        return {column: frozenset((source, read) for source, read in of) for column, of in told.items()}
    except (OSError, ValueError):  # not known yet, or not whole
        pass
    known = _known()
    reads = known.staged.get(full_name) or _read_off(full_name, known.columns)
    origins = {column: frozenset(origin for read in of for origin in _through(read)) for column, of in reads.items()}
    if origins:
        with suppress(OSError):  # nowhere to keep it: it is read off anew each time
            remembered.parent.mkdir(parents=True, exist_ok=True)
            with replacing(remembered) as file:
                file.write_text(json.dumps({column: sorted(of) for column, of in origins.items()}), "utf-8")
    return origins


def _remembered(full_name: str) -> Path:
    """Where the origins are kept between processes, since reading them off takes most of the time that it takes to load
    the definitions: in the user's cache, under the name of all that they follow from."""
    digest = _digest_of_common().copy()
    digest.update(f"{full_name}\0{relation(full_name).sql}".encode())
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache_home / "newsledger" / "lineage" / f"{digest.hexdigest()[:32]}.json"


@cache
def _digest_of_common() -> "hashlib._Hash":
    digest = hashlib.sha256(f"{version('sqlglot')}\0{Path(__file__).read_text('utf-8')}".encode())
    for name, columns in sorted(_declared().items()):
        digest.update(f"\0{name}\0{columns}".encode())
    for staged in relations("staging"):
        digest.update(f"\0{staged.full_name}\0{staged.sql}".encode())
    return digest


def _read_off(full_name: str, columns: Columns) -> dict[str, set[Column]]:
    """Of each column of a relation, the columns that its SQL reads for it; of none where sqlglot cannot follow it."""
    try:
        found = lineage(None, relation(full_name).sql, columns, dialect="duckdb", trim_selects=False)
    except (SqlglotError, ValueError) as error:  # it says both ways what it cannot follow
        LOGGER.warning("%s: no lineage of its columns: %s", relation(full_name).file, error)
        return {}
    return {column: _reads(node) for column, node in found.items()}


def _reads(node: Node) -> set[Column]:
    return {
        (f"{leaf.expression.db}.{leaf.expression.name}", leaf.name.rpartition(".")[2])
        for leaf in node.walk()
        if isinstance(leaf.expression, exp.Table)
    }


def _through(read: Column) -> frozenset[Column]:
    """The column itself, or what it is made from where its relation is no asset."""
    full_name, column = read
    if full_name in _COMPUTED:
        return frozenset(origin for each in _COMPUTED[full_name].made_from for origin in _through(each))
    if full_name.startswith("staging."):
        return column_origins(full_name).get(column, frozenset())
    return frozenset([read]) if full_name in TABLES or full_name in _LOGS else frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """The columns of all that SQL reads, by which sqlglot tells whose an unqualified one is, and what each column of a
    staged relation is read from."""

    columns: Columns
    staged: dict[str, dict[str, set[Column]]]


def _declared() -> dict[str, list[str]]:
    """The columns of tables, logs and what is computed."""
    names = {table.full_name: [column.name for column in table.columns] for table in (*TABLES.values(), LINK_RECORDS)}
    names |= {name: schema.names for name, schema in _LOGS.items()}
    names |= {name: [*computed.columns] for name, computed in _COMPUTED.items()}
    return names


@cache
def _known() -> Known:
    known = Known({}, {})

    def add(full_name: str, columns: Iterable[str]) -> None:
        schema, _, name = full_name.partition(".")
        # DuckDB numbers the rows of each table.
        known.columns.setdefault(schema, {})[name] = dict.fromkeys((*columns, "rowid"), "unknown")

    for full_name, columns in _declared().items():
        add(full_name, columns)
    for staged in relations("staging"):
        reads = _read_off(staged.full_name, known.columns)
        known.staged[staged.full_name] = reads
        add(staged.full_name, reads)
    return known

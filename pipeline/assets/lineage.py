"""Where each column of a table comes from, read off the SQL: seen through CTEs, staging and forms, to the tables and
logs that are assets. Counts of rows and literals come from no column."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import dagster as dg
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from pipeline.checks import asset_key
from pipeline.coverage import COMPUTED, Computed
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
    known = _known()
    reads = known.staged.get(full_name) or _read_off(full_name, known.columns)
    return {column: frozenset(origin for read in of for origin in _through(read)) for column, of in reads.items()}


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


@cache
def _known() -> Known:
    names = {table.full_name: [column.name for column in table.columns] for table in (*TABLES.values(), LINK_RECORDS)}
    names |= {name: schema.names for name, schema in _LOGS.items()}
    # DuckDB numbers the rows of each table.
    names |= {name: [*computed.columns, "rowid"] for name, computed in _COMPUTED.items()}
    known = Known({}, {})

    def add(full_name: str, columns: Iterable[str]) -> None:
        schema, _, name = full_name.partition(".")
        known.columns.setdefault(schema, {})[name] = dict.fromkeys(columns, "unknown")

    for full_name, columns in names.items():
        add(full_name, columns)
    for staged in relations("staging"):
        reads = _read_off(staged.full_name, known.columns)
        known.staged[staged.full_name] = reads
        add(staged.full_name, reads)
    return known

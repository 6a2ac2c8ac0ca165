"""The SQL files as relations: one file a relation, its name the relation's, its leading comment its description.

The comment's first lines say what the relation holds; `-- grain:` and `-- key:` lines say what a row is and which
columns name it; `-- kept: as a view` asks for no table of its own; `-- in parts of:` names the relation whose rows are
gathered in parts, each those that `in_part` lets through, where they are too many for one aggregate. Files of
`sql/checks` carry `-- severity:`, `-- on:` and `-- message:` instead, those of `sql/macros` how they are called.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp

_TAG = re.compile(r"--\s*(grain|key|kept|in parts of|severity|on|message|blocking|call):\s*(.*)")


@dataclass(frozen=True, slots=True)
class Relation:
    """One SELECT of `sql/`, what it says of itself and which relations it reads."""

    schema: str
    name: str
    sql: str
    description: str
    file: str
    tags: dict[str, str] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return tuple(column.strip() for column in self.tags.get("key", "").split(",") if column.strip())

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def sql_folder() -> Path:
    """The folder `sql/`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


def relation(full_name: str) -> Relation:
    """The relation of that `schema.name`. Raises KeyError where `sql/` has none."""
    schema, _, _ = full_name.partition(".")
    return {found.full_name: found for found in relations(schema)}[full_name]


@cache
def relations(schema: str) -> tuple[Relation, ...]:
    """The relations of `sql/<schema>`, each after those it reads."""
    found = {relation.full_name: relation for relation in map(_read, sorted((sql_folder() / schema).glob("*.sql")))}
    staging = {} if schema == "staging" else {relation.full_name: relation for relation in relations("staging")}
    order = TopologicalSorter({name: _leans_on(relation, staging) & found.keys() for name, relation in found.items()})
    return tuple(found[name] for name in order.static_order())


def leans_on(wanted: Relation) -> frozenset[str]:
    """What it reads, itself or through `staging`."""
    return _leans_on(wanted, {relation.full_name: relation for relation in relations("staging")})


def _leans_on(wanted: Relation, staging: Mapping[str, Relation]) -> frozenset[str]:
    through = (_leans_on(staging[read], staging) for read in wanted.reads & staging.keys())
    return wanted.reads.union(*through)


def _read(file: Path) -> Relation:
    text = file.read_text("utf-8")
    description, tags = [], {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        tag = _TAG.match(line)
        if tag:
            tags[tag[1]] = tag[2].strip()
        else:
            description.append(line.removeprefix("--").strip())
    sql = text.strip().removesuffix(";")
    return Relation(
        file.parent.name,
        file.stem,
        sql,
        " ".join(description),
        f"sql/{file.parent.name}/{file.name}",
        tags,
        tables_read(sql),
    )


@cache
def tables_read(sql: str) -> frozenset[str]:
    """The relations that a query names with their schema."""
    tables = sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Table)
    return frozenset(f"{table.db}.{table.name}" for table in tables if table.db)

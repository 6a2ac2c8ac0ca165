"""Tables that grow by the night: what a closed night gave is made once and kept.

A night is closed when a later one has begun. Its rows are an immutable Parquet file, named by all that they were made
from: the rule, the observations of that night and of those before it, and which sweeps were void. Another rule is
another name, so all of history is judged anew; rows that come late, or a night that is voided later, make anew that
night and those after it. Only tonight's observations are read each night, and states are a fold: the record of each
link after the last closed night is kept, and tonight's verdicts are laid upon it. So a night costs the same however
long the log is.

Belongs here: which nights are made, which are kept, and in what they are kept. Does not belong here: any rule of links;
the SQL of `links.checks`, `links.verdicts` and `staging.link_records` says what a night gives.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate

import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.lake.logs import Log
from pipeline.lake.relations import Relation, relation, relations
from pipeline.lake.session import Session
from pipeline.lake.snapshots import NightPart, TableFile
from pipeline.model.tables import LINK_RECORDS, TABLES
from pipeline.model.urls import identity_form

RECORDS = LINK_RECORDS.full_name
MANY_PARTS = 32
"""So many files of closed nights stay as they are; then neighbours are merged."""
MERGED_ROWS = 4_000_000
"""A file of several nights holds no more."""

_RULE = "staging.link_records"
_VOIDED = """
select night, string_agg(distinct refresh_id, ' ' order by refresh_id) as refreshes
from log.refreshes
where event = 'swept' and void_reason is not null
group by night
"""
_ASKED = """
create or replace table forms.asked as
select url_id, any_value(request_url) as fetch_url
from log.link_checks
where hop = 0 and kind in ('request', 'shared', 'guard', 'postponed')
group by url_id
"""
_FORMS = """
create or replace table forms.asked_urls as
select
    asked.url_id,
    asked.fetch_url,
    url_host(asked.fetch_url) as host,
    coalesce(identities.identity_url, plain_identity(asked.fetch_url)) as identity_url
from forms.asked
left join forms.identities using (fetch_url)
"""
ASKED_URL_COLUMNS = ("url_id", "fetch_url", "host", "identity_url")
"""Of `forms.asked_urls`, made from the ids and the URLs of the log."""
_IDENTITIES = pa.schema({"fetch_url": pa.string(), "identity_url": pa.string()})


@dataclass(slots=True)
class LinkNights:
    """The log of observations as it is now, the night at work, and how many nights of observations the warehouse
    shows."""

    log: Log
    tonight: date
    kept_nights: int
    _rows: dict[date, int] | None = None
    _shown: date | None = None

    def makers(self) -> dict[str, Callable[[Builder, Relation], TableFile]]:
        """The makers of the tables that grow by the night."""
        return {"links.checks": self._make_checks, "links.verdicts": self._make_verdicts}

    def _make_checks(self, builder: Builder, wanted: Relation) -> TableFile:
        """The last nights, each by itself; so few that none are merged."""
        rule, oldest = _rule(wanted), self.tonight - timedelta(days=self.kept_nights - 1)
        names = {night: _named(rule, f"{night} {rows}") for night, rows in self._nights().items() if night >= oldest}
        work = _Work(builder, wanted, names)
        for night in names:
            if work.is_missing(night):
                self._show(builder.session, night)
                work.make(night)
        self._show(builder.session, None)
        return work.table(_named(rule, *names.values()))

    def _make_verdicts(self, builder: Builder, wanted: Relation) -> TableFile:
        """Every night, each after those before it."""
        rows = self._nights()
        voided = {night: refreshes for night, refreshes in builder.session.run(_VOIDED)}  # noqa: C416
        facts = [f"{night} {count} {voided.get(night, '')}" for night, count in rows.items()]
        rule = _named(_rule(wanted), _forms_version())
        names = dict(zip(rows, [*accumulate(facts, _named, initial=rule)][1:], strict=True))
        work = _Work(builder, wanted, names)
        closed = [night for night in names if night < self.tonight]
        history = _History(builder, names, closed, work.first_missing())
        for night in names:
            if work.is_missing(night):
                history.load()
                self._show(builder.session, night)
                _give_forms(builder.session)
                work.make(night)
            if night < self.tonight:
                history.lay_upon(night, work)
        history.close(self.tonight)
        work.merge(closed)
        self._show(builder.session, None)
        return work.table(next(reversed(names.values()), rule))

    def _nights(self) -> dict[date, int]:
        """How many observations each night has, up to tonight."""
        if self._rows is None:
            self._rows = {night: rows for night, rows in self.log.rows_by_night().items() if night <= self.tonight}
        return self._rows

    def _show(self, session: Session, night: date | None) -> None:
        """Have the observations of that night alone in the session, or all of them."""
        if night != self._shown:
            session.attach_log(self.log, night)
            self._shown = night


def judge_alone(session: Session) -> None:
    """Judge the observations that the session holds by themselves, as if nothing was known of any link before."""
    session.run(LINK_RECORDS.definition())
    _give_forms(session)
    session.make(relation("links.verdicts"))


@dataclass(slots=True)
class _Work:
    """One table at work: the files of its nights that are still good, and the making of the others."""

    builder: Builder
    wanted: Relation
    names: Mapping[date, str]
    parts: dict[date, NightPart] = field(default_factory=dict)
    """By night; neighbours may share one."""

    def __post_init__(self) -> None:
        staged = self.builder.staged(self.wanted.full_name)
        for part in staged.parts if staged else ():
            first, last = date.fromisoformat(part.first), date.fromisoformat(part.last)
            if self.names.get(last) == part.made_from and self.builder.is_there(part.file):
                self.parts |= {night: part for night in self.names if first <= night <= last}

    def is_missing(self, night: date) -> bool:
        return night not in self.parts

    def first_missing(self) -> date | None:
        return next((night for night in self.names if self.is_missing(night)), None)

    def make(self, night: date) -> None:
        """Make the file of that night from what the session shows of it."""
        self.builder.session.make(self.wanted)
        self.parts[night] = self._write(self.wanted.full_name, night, night)
        self.builder.session.run(f"drop table {self.wanted.full_name}")

    def rows_of(self, night: date) -> str:
        """The rows of that night, as what a FROM clause names."""
        self.builder.session.attach_table("this.rows_of_nights", [self.builder.snapshots.path(self.parts[night])])
        return f"(from this.rows_of_nights where night = date '{night}')"

    def merge(self, closed: list[date]) -> None:
        """Write neighbouring nights into one file where there are many."""
        parts = list(dict.fromkeys(self.parts[night] for night in closed))
        if sum(part.rows < MERGED_ROWS // 2 for part in parts) <= MANY_PARTS:
            return
        groups: list[list[NightPart]] = [[]]
        for part in parts:
            if sum(other.rows for other in groups[-1]) + part.rows > MERGED_ROWS and groups[-1]:
                groups.append([])
            groups[-1].append(part)
        for group in groups:
            if len(group) > 1:
                nights = [night for night in closed if self.parts[night] in group]
                self.builder.session.attach_table("this.merged", self.builder.snapshots.fetch(group))
                merged = self._write("this.merged", nights[0], nights[-1])
                self.parts |= dict.fromkeys(nights, merged)

    def table(self, made_from: str) -> TableFile:
        """The table of all its nights; of none, an empty one."""
        parts = tuple(dict.fromkeys(self.parts[night] for night in self.names))
        if parts:
            rows, size = sum(part.rows for part in parts), sum(part.bytes for part in parts)
            return TableFile(parts[-1].file, rows, size, made_from, parts)
        self.builder.session.run(f"create or replace table {self.wanted.full_name} as {_no_rows(self.wanted)}")
        empty = self._write(self.wanted.full_name, date.min, date.min)
        self.builder.session.run(f"drop table {self.wanted.full_name}")
        return TableFile(empty.file, 0, empty.bytes, made_from)

    def _write(self, full_name: str, first: date, last: date) -> NightPart:
        name = self.names.get(last, "empty")
        called = f"{self.wanted.full_name}-{last}-{(last - first).days + 1}-{name[:12]}"
        file, rows, size = self.builder.write(full_name, self.wanted.key, called)
        return NightPart(file, rows, size, f"{first}", f"{last}", name)


class _History:
    """The records of the links, carried from closed night to closed night in the session."""

    def __init__(
        self, builder: Builder, names: Mapping[date, str], closed: list[date], first_missing: date | None
    ) -> None:
        self._builder = builder
        self._rule = relation(_RULE)
        rule = _rule(self._rule)
        self._names = {night: _named(rule, name) for night, name in names.items()}
        self._last_name = self._names[closed[-1]] if closed else rule
        """How the records after the last closed night are named."""
        kept = builder.staged(RECORDS)
        after = {self._names[night]: night for night in closed}.get(kept.made_from) if kept else None
        self._after = after if after and (first_missing is None or after < first_missing) else None
        """The night after which the kept records are, if nothing before it is made anew."""
        self._is_kept = kept is not None and kept.made_from == self._last_name
        self._is_loaded = False

    def load(self) -> None:
        """Have the records in the session, none where the first night is still to come."""
        if self._is_loaded:
            return
        self._is_loaded = True
        session = self._builder.session
        kept = self._builder.staged(RECORDS)
        session.drop(RECORDS)
        session.run(LINK_RECORDS.definition())
        if self._after is not None and kept is not None:
            session.attach_table("this.records", self._builder.snapshots.paths(kept))
            session.run(f"insert into {RECORDS} from this.records")

    def lay_upon(self, night: date, work: _Work) -> None:
        """Lay the verdicts of a closed night upon the records, unless they are already."""
        if self._after is not None and night <= self._after:
            return
        self.load()
        session = self._builder.session
        self._builder.need("staging.verdict_groups")
        session.give("this.night", pa.table({"night": pa.array([night], pa.date32())}))
        session.run(f"create or replace table links.verdicts as {work.rows_of(night)}")
        session.make(self._rule)
        session.run(
            f"create or replace table {RECORDS} as select {LINK_RECORDS.select_list()} from {_RULE};"
            f" drop table {_RULE}; drop table links.verdicts"
        )

    def close(self, tonight: date) -> None:
        """Keep the records for the next refresh, if they are others than those kept, and clear the session."""
        if not self._is_kept:
            self.load()
            self._builder.keep(RECORDS, ("url_id",), self._last_name)
        if self._is_loaded:
            self._builder.session.drop(RECORDS)
        self._builder.session.give("this.night", pa.table({"night": pa.array([tonight], pa.date32())}))


def _give_forms(session: Session) -> None:
    """The forms of the URLs that were asked that night, as `forms.asked_urls`: whatever the current files hold."""
    session.run(_ASKED)
    session.run("drop table if exists forms.identities")
    session.give_computed(
        "forms.identities",
        "select fetch_url from forms.asked where not is_plain_url(fetch_url)",
        _identities,
        _IDENTITIES,
    )
    session.run(_FORMS)


def _identities(asked: pa.RecordBatch) -> pa.RecordBatch:
    urls = asked["fetch_url"].to_pylist()
    identities = [identity_form(url) if url.startswith(("http://", "https://")) else url for url in urls]
    return pa.record_batch([urls, identities], _IDENTITIES)


@cache
def _forms_version() -> str:
    package = files("pipeline.model")
    return _named(*(package.joinpath(name).read_text("utf-8") for name in ("urls.py", "tracking_parameters.txt")))


def _rule(wanted: Relation) -> str:
    """Names a relation by what it says, its declared columns, and the staging relations that it reads."""
    staging = {found.full_name: found for found in relations("staging")}
    table = LINK_RECORDS if wanted.full_name == _RULE else TABLES.get(wanted.full_name)
    through = (_rule(staging[read]) for read in sorted(wanted.reads & staging.keys()))
    return _named(wanted.sql, table.select_list() if table else "", *through)


def _no_rows(wanted: Relation) -> str:
    columns = ", ".join(f'null::{column.type} as "{column.name}"' for column in TABLES[wanted.full_name].columns)
    return f"select {columns} where false"


def _named(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

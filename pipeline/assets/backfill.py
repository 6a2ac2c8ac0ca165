"""The history of a git source, taken into the documents log. An op: it makes rows of the past, and no asset anew."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import cast

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.assets.documents import cache_file
from pipeline.content import Commit, Git, Read, Rules, Walk, open_tree, timeline
from pipeline.errors import ClockError, SourceError
from pipeline.lake.refresh import Refresh
from pipeline.lake.session import Session
from pipeline.settings import Settings, Source

BACKFILL_OP = "take_in_history"


@dataclass(frozen=True, slots=True)
class Backfilled:
    """How far a backfill has come: the commits it walked `of` all it has to, the versions of files it looked at, and
    the rows that it appended; those that were there already are not counted."""

    of: int
    commits: int = 0
    versions: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    removed: int = 0

    @property
    def rows(self) -> int:
        return self.accepted + self.rejected + self.skipped + self.removed


@dg.op(
    name=BACKFILL_OP,
    config_schema={
        "source": dg.Field(str, description="Name of a git source in the settings"),
        "since": dg.Field(
            dg.Noneable(str),
            is_required=False,
            default_value=None,
            description="A date, or an ISO time with its offset: commits before it are left out",
        ),
    },
    out=dg.Out(dg.Nothing),
    required_resource_keys={"backfill"},
    description="Walk the history of the source's branch and append what each commit made its files mean.",
)
def take_in_history(context: dg.OpExecutionContext) -> None:
    backfill = cast("Refresh", context.resources.backfill)
    for done in backfilled(backfill, context.op_config["source"], context.op_config["since"]):
        context.log.info("%s of %s commits, %s rows", f"{done.commits:,}", f"{done.of:,}", f"{done.rows:,}")
        context.add_output_metadata(asdict(done) | {"rows": done.rows})


def backfilled(backfill: Refresh, name: str, since: str | None) -> Iterator[Backfilled]:
    """Take in the history of the source of that name, as `begin_backfill` began; yields how far it has come, at least
    once. What an earlier backfill recorded is not walked again, and a row that is there is not appended again.

    Raises SourceError where the source has no history or it cannot be had, ClockError for another `since` than a time.
    """
    settings = backfill.settings
    source = _source(settings, name)
    begins = _time(since) if since else datetime.min.replace(tzinfo=UTC)
    tree = open_tree(source, settings.copies_dir)
    if not isinstance(tree, Git):
        raise SourceError(f"source {name}: {tree.place} has no history; only a source with `git` can be backfilled")
    tree = tree.with_history()
    assert tree.commit is not None
    read_by = sha256(f"{source.include!r}|{source.exclude!r}|{settings.content!r}".encode()).hexdigest()
    with backfill.session() as session:
        past = Past(session, name)
        commits = timeline(tree.repository, tree.commit, past.reads(), backfill.started_at)
        start = bisect_left(commits, begins, key=lambda commit: commit.seen_at)
        start = _behind(commits, start, past.stretches(read_by))
        walk = Walk(
            source=source,
            rules=Rules.of(settings.content),
            refresh_id=backfill.refresh_id,
            repository=tree.repository,
            commits=commits[start:],
            parent=commits[start - 1].id if start else None,
        )
        total = recorded = Backfilled(of=len(walk.commits))
        for stretch in walk.stretches():
            rows = past.missing(stretch.rows)
            if rows.num_rows:
                # A kill from here on must not hide from the next refresh what is not as its cache remembers it.
                cache_file(settings, source).unlink(missing_ok=True)
                backfill.logs.documents.append(rows)
            total = _with(total, rows, stretch.versions)
            if stretch.through is not None:
                total = replace(total, commits=stretch.through)
                backfill.record(
                    "backfilled",
                    source=name,
                    first_commit=walk.commits[recorded.commits].id,
                    commit=walk.commits[total.commits - 1].id,
                    read_by=read_by,
                    files_seen=total.versions - recorded.versions,
                    files_accepted=total.accepted - recorded.accepted,
                    files_rejected=total.rejected - recorded.rejected,
                    files_skipped=total.skipped - recorded.skipped,
                    files_unchanged=total.versions - total.rows - recorded.versions + recorded.rows,
                    files_removed=total.removed - recorded.removed,
                )
                recorded = total
            yield total
        if not walk.commits:
            yield total


@dataclass(frozen=True, slots=True)
class Past:
    """What the logs held of a source as the backfill began."""

    session: Session
    source: str

    def reads(self) -> list[Read]:
        """The refreshes that read it, oldest first."""
        rows = self.session.run(
            'select "commit", happened_at from log.refreshes'
            " where event = 'read' and source = ? order by happened_at",
            [self.source],
        )
        return [Read(cast("str | None", commit), cast("datetime", happened_at)) for commit, happened_at in rows]

    def stretches(self, read_by: str) -> list[tuple[str, str]]:
        """First and last commit of each stretch that was backfilled by the same globs and rules."""
        rows = self.session.run(
            'select first_commit, "commit" from log.refreshes'
            " where event = 'backfilled' and source = ? and read_by = ?",
            [self.source, read_by],
        )
        return cast("list[tuple[str, str]]", rows)

    def missing(self, rows: pa.Table) -> pa.Table:
        """Those of `rows` that the documents log does not hold yet."""
        if not rows.num_rows:
            return rows
        times = pc.min_max(rows["seen_at"]).as_py()
        self.session.give(
            "this.walked", rows.select(["path", "seen_at"]).append_column("place", pa.array(range(rows.num_rows)))
        )
        missing = self.session.table(
            "select place from this.walked anti join ("
            "select path, seen_at from log.documents where source = ? and seen_at between ? and ?"
            ") using (path, seen_at) order by place",
            [self.source, times["min"], times["max"]],
        )
        return rows if missing.num_rows == rows.num_rows else rows.take(missing["place"])


def _source(settings: Settings, name: str) -> Source:
    for source in settings.sources:
        if source.name == name:
            return source
    names = ", ".join(source.name for source in settings.sources)
    raise SourceError(f"no source is named {name!r}; the settings name {names}")


def _time(text: str) -> datetime:
    """The start of a date, in UTC, or the ISO time."""
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ClockError(
            f"since {text!r} is neither a date nor an ISO time; write 2024-05-01 or 2024-05-01T12:00:00Z"
        ) from None
    if found.tzinfo is None:
        raise ClockError(f"since {text!r} names no time zone; add Z or an offset, as 2024-05-01T12:00:00Z")
    return found


def _behind(commits: Sequence[Commit], start: int, stretches: Iterable[tuple[str, str]]) -> int:
    """The place of the first commit from `start` on that no stretch holds."""
    places = {commit.id: place for place, commit in enumerate(commits)}
    held = [(places[first], places[last]) for first, last in stretches if first in places and last in places]
    for first, last in sorted(held):
        if first <= start:
            start = max(start, last + 1)
    return start


def _with(total: Backfilled, rows: pa.Table, versions: int) -> Backfilled:
    """`total` and what was just appended."""
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(rows["status"]).to_pylist()}
    return replace(
        total,
        versions=total.versions + versions,
        **{status: getattr(total, status) + count for status, count in counts.items()},
    )

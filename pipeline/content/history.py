"""The history of a branch as rows of the documents log: what each commit made each file mean.

The walk goes from parent to first child over the commits that a merge or a push put onto the branch. No file is checked
out: git lists what each commit changed, and one stream gives the bytes. What a file meant before the walk began is
asked of the commit before, so the rows of a walk do not depend on where it starts.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipeline.content.globs import Selection
from pipeline.content.intake import SHARD_FILES
from pipeline.content.meaning import Rules
from pipeline.content.paths import path_text
from pipeline.content.reading import Known, Rows, meaning_of, removed_rows
from pipeline.content.trees import Loaded
from pipeline.content.trees.git_objects import REGULAR, open_objects
from pipeline.content.trees.git_program import Repository, records
from pipeline.errors import SourceError
from pipeline.model.ids import content_id
from pipeline.model.logs import DOCUMENTS
from pipeline.settings import Source

APPEND_ROWS = 10_000
"""Rows held before they are appended: bounds memory."""
STRETCH_VERSIONS = 10_000
"""Versions of files after which what was walked is recorded: what a kill can cost."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the branch, and when its content was there to be seen."""

    id: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Read:
    """A refresh that read the commit at that time; None where the source was no repository then."""

    commit: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a walk: its rows, how many versions of files were looked at, and how many commits of the walk are whole
    with it (None in the middle of a large one)."""

    rows: pa.Table
    versions: int
    through: int | None


def timeline(repository: Repository, tip: str, reads: Sequence[Read], now: datetime) -> list[Commit]:
    """The commits that a backfill may take in, oldest first, each later than the one before.

    A commit is dated by its committer, or just behind its parent where that clock ran backwards. What refreshes have
    read (`reads`, oldest first) was there before the first of them that read it, whatever its date says; what they have
    not read is left to the next of them, and before any has read, what is dated after `now`. Raises SourceError where
    the last of them read something else.
    """
    with repository.stream("rev-list", "--first-parent", "--reverse", "--timestamp", tip) as git:
        told = [line.split() for line in git.answers]
    ids = [commit.decode() for _, commit in told]
    taken = {_microseconds(read.at) for read in reads}
    times: list[int] = []
    for seconds, _ in told:
        time = max(int(seconds) * _SECOND, times[-1] + 1 if times else 0)
        while time in taken:  # a row of a refresh and one of the walk are told apart by their times
            time += 1
        times.append(time)
    if not reads:
        before = _microseconds(now)
        return [Commit(id_, _time(time)) for id_, time in zip(ids, times, strict=True) if time < before]
    places = {id_: place for place, id_ in enumerate(ids)}
    if reads[-1].commit not in places:
        raise SourceError(
            "the last refresh of this source read something that is not in the history of its branch"
            " (its branch or place was changed, or its history written anew); run `newsledger refresh` first"
        )
    first_read: dict[int, int] = {}
    for read in reversed(reads):
        if read.commit in places:
            first_read[places[read.commit]] = _microseconds(read.at)
    latest = _microseconds(reads[-1].at)
    for place in range(places[reads[-1].commit], -1, -1):
        latest = min(latest, first_read.get(place, latest)) - 1
        times[place] = min(times[place], latest)
    return [Commit(id_, _time(time)) for id_, time in zip(ids[: places[reads[-1].commit] + 1], times, strict=False)]


@dataclass(frozen=True, slots=True)
class _Step:
    """A version of a file in the walk: what it was `before` the walk saw it, or what the commit made of it."""

    place: int
    path: str
    before: bool


@dataclass(slots=True)
class Walk:
    """A walk over `commits` of a source's branch; `parent` is the one before the first of them, None where none is."""

    source: Source
    rules: Rules
    refresh_id: str
    repository: Repository
    commits: Sequence[Commit]
    parent: str | None
    _met: set[str] = field(default_factory=set)
    """Paths whose meaning was asked for."""
    _known: dict[str, Known] = field(default_factory=dict)

    def stretches(self) -> Iterator[Stretch]:
        """The rows of the walk. Each commit's are appended and done with before the next one's begin."""
        making = _Making(self.source.name, self.rules, self.refresh_id)
        versions = unrecorded = place = 0
        with open_objects(self.repository) as objects:
            for step, loaded in objects.blobs(self._wanted(), self.rules.max_file_bytes):
                if step.place != place and unrecorded >= STRETCH_VERSIONS:
                    yield Stretch(making.taken(), versions, step.place)
                    versions = unrecorded = 0
                place = step.place
                versions += not step.before
                unrecorded += not step.before
                self._take(making, step, loaded)
                if making.count >= APPEND_ROWS:
                    yield Stretch(making.taken(), versions, None)
                    versions = 0
        if self.commits:
            yield Stretch(making.taken(), versions, len(self.commits))

    def _take(self, making: "_Making", step: _Step, loaded: Loaded | None) -> None:
        known = self._known.get(step.path)
        if loaded is None:
            if known is not None:
                making.remove(step.path, known, self.commits[step.place])
                del self._known[step.path]
            return
        meaning = meaning_of(step.path, loaded, self.rules)
        if not step.before and not meaning.is_known(known):
            making.rows.append(step.path, loaded, meaning)
            making.mark(self.commits[step.place])
        self._known[step.path] = Known(meaning.status, meaning.semantic_sha256, None)

    def _wanted(self) -> Iterator[tuple[_Step, bytes | None]]:
        """Each version of a file that the commits made, as a blob, or none where it was removed; at the first change
        of a path, what it was before."""
        takes = Selection(self.source.include, self.source.exclude).takes
        place = -1
        with tempfile.TemporaryFile() as pairs:
            for commit, parent in zip(self.commits, (self.parent, *(c.id for c in self.commits)), strict=False):
                pairs.write(f"{commit.id} {parent or ''}".rstrip().encode() + b"\n")
            pairs.seek(0)
            with self.repository.stream(
                *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"),
                lines=pairs,
            ) as git:
                told = records(git.answers)
                for record in told:
                    if not record.startswith(b":"):  # a commit
                        place += 1
                        continue
                    raw = next(told)
                    if not takes(raw.decode("utf-8", "surrogateescape")):
                        continue
                    path = path_text(raw)
                    mode_before, mode, id_before, id_now, _ = record[1:].split()
                    was_there, is_there = mode_before in REGULAR, mode in REGULAR
                    if was_there and path not in self._met:
                        yield _Step(place, path, before=True), id_before
                    self._met.add(path)
                    if was_there or is_there:
                        yield _Step(place, path, before=False), id_now if is_there else None


class _Making:
    """Rows of the walk on their way to the log."""

    def __init__(self, source: str, rules: Rules, refresh_id: str) -> None:
        self._source, self._rules, self._refresh_id = source, rules, refresh_id
        self._tables: list[pa.Table] = []
        self._removed: list[dict[str, object]] = []
        self._commits: list[Commit] = []
        self.rows = Rows(source, rules.volatile_keys)
        self.count = 0

    def mark(self, commit: Commit) -> None:
        """The row just appended is of that commit."""
        self._commits.append(commit)
        self.count += 1
        if len(self.rows) == SHARD_FILES:  # Arrow holds them in less space
            self._settle()

    def remove(self, path: str, known: Known, commit: Commit) -> None:
        version_id = content_id("version", self._source, path, known.semantic_sha256 or "")
        row = {"path": path, "version_id": version_id, "semantic_sha256": known.semantic_sha256}
        self._removed.append(row | {"seen_at": commit.seen_at, "commit": commit.id})
        self.count += 1

    def taken(self) -> pa.Table:
        """All that was made since it was last taken."""
        self._settle()
        tables, self._tables, self.count = self._tables, [], 0
        return pa.concat_tables(tables)

    def _settle(self) -> None:
        times = [commit.seen_at for commit in self._commits]
        self._tables.append(self.rows.table(self._refresh_id, times, [commit.id for commit in self._commits]))
        self.rows, self._commits = Rows(self._source, self._rules.volatile_keys), []
        if self._removed:
            names = ("path", "version_id", "semantic_sha256", "seen_at", "commit")
            gone = pa.Table.from_pylist(self._removed, schema=pa.schema([DOCUMENTS.field(name) for name in names]))
            self._tables.append(removed_rows(gone, source=self._source, refresh_id=self._refresh_id))
            self._removed = []


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)

"""History as a time machine: every meaning a file has had, at the time of its commit, however often it is asked for."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.assets.backfill import Backfilled, backfilled
from pipeline.content import history
from pipeline.errors import ClockError, RefreshBusyError, SourceError
from pipeline.lake.lock import hold_lock
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import begin_backfill
from pipeline.lake.relations import relation
from pipeline.lake.session import open_session
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file
from tests.killable import started, take_in_history
from tests.refreshing import refresh
from tests.repositories import FIRST_COMMIT, Files, Origin, git
from tests.tables import Archive

DAY = 86_400
NOW = "2026-02-01T00:00:00Z"

SettingsFor = Callable[..., Settings]


def news(title: str = "One", heat: int = 10, **more: object) -> str:
    lines = [f"{key}: {value}" for key, value in {"category": "news", "title": title, "heat": heat, **more}.items()]
    return "\n".join(["---", *lines, "---", ""])


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin.made(tmp_path / "origin.git")


@pytest.fixture
def settings(origin: Origin, settings_for: SettingsFor, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sources=[{"name": "archive", "git": str(origin.folder)}])


def backfill(settings: Settings, since: str | None = None, now: str | None = NOW) -> Backfilled:
    with begin_backfill(settings, f"run {time.monotonic_ns()}", now) as begun:
        return list(backfilled(begun, "archive", since))[-1]


def rows(settings: Settings) -> list[tuple[object, ...]]:
    """What the documents log holds, but for the run that wrote it."""
    with open_session("500MB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
        return session.run("select * exclude refresh_id from log.documents order by path, seen_at")


def seen(settings: Settings) -> list[tuple[object, ...]]:
    with open_session("500MB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
        return session.run("select path, status, item.heat, seen_at from log.documents order by path, seen_at")


def current(settings: Settings) -> list[tuple[object, ...]]:
    """The state of each file by the log."""
    with open_session("500MB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
        session.make(relation("staging.last_rows"))
        return session.run("select path, status, version_id from staging.last_rows order by path")


def long_history(commits: int = 200) -> list[tuple[int, Files]]:
    """Files that come, change, turn bad, vanish and come back; some commits change nothing that means anything; the
    clock ties and runs backwards."""
    chance = random.Random(20200913)
    result: list[tuple[int, Files]] = [(FIRST_COMMIT, {f"_news/{n}.md": news(str(n)) for n in range(40)})]
    present = set(range(40))
    for number in range(1, commits):
        changed: dict[str | bytes, object] = {}
        for n in chance.sample(range(60), chance.randint(0, 6)):
            kind = chance.random()
            if kind < 0.1 and n in present and len(present) > 30:
                changed[f"_news/{n}.md"] = None
                present.discard(n)
                continue
            present.add(n)
            changed[f"_news/{n}.md"] = (
                "no front matter\n"
                if kind < 0.15
                else "---\ntitle: [\n---\n"
                if kind < 0.2
                else news(str(n), chance.randint(1, 4), secured=chance.randint(0, 10**9))
            )
        result.append((FIRST_COMMIT + number * DAY + chance.choice((0, 0, 0, -DAY, -3 * DAY)), changed))  # type: ignore[arg-type]
    return result


# What a backfill finds


def test_every_change_of_meaning_is_a_row_at_the_time_of_its_commit(origin: Origin, settings: Settings) -> None:
    meanings: list[Files] = [
        {"a.md": news(heat=1), "b.md": news(), "c.txt": "no fence", "left/out.png": b"\x89"},
        {"a.md": news(heat=1, secured="other")},
        {"a.md": news(heat=2), "b.md": "---\n[\n---\n"},
        {"a.md": ("100755", news(heat=2)), "b.md": None},
        {"a.md": news(heat=1), "c.txt": ("120000", "a.md")},
        {"b.md": news()},
    ]
    tip = origin.commits([(FIRST_COMMIT + day * DAY, files) for day, files in enumerate(meanings)])
    done = backfill(settings)
    assert done == Backfilled(of=6, commits=6, versions=11, accepted=5, rejected=1, skipped=1, removed=2)
    assert seen(settings) == [
        ("a.md", "accepted", 1, at(FIRST_COMMIT)),
        ("a.md", "accepted", 2, at(FIRST_COMMIT + 2 * DAY)),
        ("a.md", "accepted", 1, at(FIRST_COMMIT + 4 * DAY)),
        ("b.md", "accepted", 10, at(FIRST_COMMIT)),
        ("b.md", "rejected", None, at(FIRST_COMMIT + 2 * DAY)),
        ("b.md", "removed", None, at(FIRST_COMMIT + 3 * DAY)),
        ("b.md", "accepted", 10, at(FIRST_COMMIT + 5 * DAY)),
        ("c.txt", "skipped", None, at(FIRST_COMMIT)),
        ("c.txt", "removed", None, at(FIRST_COMMIT + 4 * DAY)),
    ]
    with open_session("500MB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
        [last] = session.run("select \"commit\" from log.documents where path = 'b.md' order by seen_at desc limit 1")
    assert last == (tip,)


def test_a_removal_is_written_as_a_refresh_would_write_it(origin: Origin, settings: Settings, tmp_path: Path) -> None:
    """Every column but the times and the run, for every status."""
    commits: list[Files] = [
        {"a.md": news(), "b.md": "x", "c.md": "---\n[\n---\n", "d/e.md": news("Other", body="\u00e9")},
        {"a.md": None, "d/e.md": news("Third")},
    ]
    archive = Archive(settings)
    for number, files in enumerate(commits):
        origin.commit(files, at=FIRST_COMMIT + number)
        archive.refresh()
    other = settings.model_copy(update={"data_dir": tmp_path / "other"})
    backfill(other)

    def without_times(settings: Settings) -> list[tuple[object, ...]]:
        with open_session("500MB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
            return session.run("select * exclude (refresh_id, seen_at) from log.documents order by path, seen_at")

    assert without_times(other) == without_times(settings)


def test_commits_at_one_second_and_clocks_that_run_backwards_keep_their_order(
    origin: Origin, settings: Settings
) -> None:
    times = [FIRST_COMMIT, FIRST_COMMIT, FIRST_COMMIT - 10 * DAY, FIRST_COMMIT + 1]
    origin.commits([(when, {"a.md": news(heat=heat)}) for heat, when in enumerate(times)])
    backfill(settings)
    expected = [at(FIRST_COMMIT) + timedelta(microseconds=late) for late in range(3)] + [at(FIRST_COMMIT + 1)]
    assert [(row[2], row[3]) for row in seen(settings)] == list(enumerate(expected))


def test_what_came_by_a_merge_came_with_the_merge(origin: Origin, settings: Settings) -> None:
    origin.commit({"a.md": news(heat=1)})
    git("branch", "draft", "main", folder=origin.folder)
    origin.commit({"b.md": news(heat=2)}, at=FIRST_COMMIT + DAY, branch="draft")
    origin.commit({"b.md": news(heat=3)}, at=FIRST_COMMIT + 2 * DAY, branch="draft")
    main, draft = origin.tip("main"), origin.tip("draft")
    merge = f"commit refs/heads/main\ncommitter A <a@example.org> {FIRST_COMMIT + 3 * DAY} +0000\ndata 1\nx\n"
    merge += f"from {main}\nmerge {draft}\nM 100644 {git('rev-parse', 'draft:b.md', folder=origin.folder)} b.md\n"
    git("fast-import", "--quiet", folder=origin.folder, given=merge.encode())
    backfill(settings)
    assert seen(settings) == [
        ("a.md", "accepted", 1, at(FIRST_COMMIT)),
        ("b.md", "accepted", 3, at(FIRST_COMMIT + 3 * DAY)),
    ]


# However often, from wherever, whatever kills it


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """A repository of 200 commits."""
    origin = Origin.made(tmp_path_factory.mktemp("long") / "origin.git")
    origin.commits(long_history())
    return origin


@pytest.fixture
def long_settings(long: Origin, settings_for: SettingsFor, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sources=[{"name": "archive", "git": str(long.folder)}])


@pytest.fixture
def undisturbed(long_settings: Settings, tmp_path: Path) -> list[tuple[object, ...]]:
    """The rows of one backfill that nothing disturbed, in a lake of its own."""
    other = long_settings.model_copy(update={"data_dir": tmp_path / "undisturbed"})
    assert backfill(other).commits == 200
    return rows(other)


def test_a_second_backfill_walks_nothing_and_appends_nothing(
    long_settings: Settings, undisturbed: list[tuple[object, ...]]
) -> None:
    assert len(undisturbed) > 300
    backfill(long_settings)
    assert backfill(long_settings) == Backfilled(of=0)
    assert rows(long_settings) == undisturbed


def test_rows_that_are_there_are_not_appended_again_even_if_nobody_recorded_them(
    long_settings: Settings, undisturbed: list[tuple[object, ...]]
) -> None:
    backfill(long_settings)
    for file in Logs.of(long_settings.lake_dir).refreshes.store.folder.rglob("*"):
        if file.is_file():
            file.unlink()
    again = backfill(long_settings)
    assert (again.commits, again.rows) == (200, 0)
    assert rows(long_settings) == undisturbed


def test_the_size_of_the_stretches_makes_no_difference(
    long_settings: Settings, undisturbed: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("STRETCH_VERSIONS", 10), ("APPEND_ROWS", 7), ("SHARD_FILES", 3)):
        monkeypatch.setattr(history, name, size)
    backfill(long_settings)
    assert rows(long_settings) == undisturbed


@pytest.mark.parametrize("day", [1, 60, 120, 199, 400])
def test_a_walk_from_some_day_on_finds_the_rows_of_the_whole_one_and_the_rest_can_follow(
    long_settings: Settings, undisturbed: list[tuple[object, ...]], day: int
) -> None:
    since = at(FIRST_COMMIT + day * DAY)
    backfill(long_settings, since=since.isoformat())
    column = [name for name in Logs.of(long_settings.lake_dir).documents.schema.names if name != "refresh_id"].index(
        "seen_at"
    )
    assert rows(long_settings) == [row for row in undisturbed if row[column] >= since]  # type: ignore[operator]
    backfill(long_settings)
    assert rows(long_settings) == undisturbed


def test_other_globs_walk_the_history_anew(long: Origin, settings_for: SettingsFor, tmp_path: Path) -> None:
    source = {"name": "archive", "git": str(long.folder)}
    few = settings_for(tmp_path, sources=[source | {"include": ["_news/1*.md"]}])
    backfill(few)
    before = len(rows(few))
    all_of_it = settings_for(tmp_path, sources=[source])
    assert backfill(all_of_it).commits == 200
    assert 0 < before < len(rows(all_of_it))
    assert backfill(few) == Backfilled(of=0)


def test_killed_at_any_append_and_run_again_it_has_the_rows_of_an_undisturbed_one(
    long: Origin, write_settings: Callable[..., Path], tmp_path: Path, undisturbed: list[tuple[object, ...]]
) -> None:
    """One kill after another in the same lake: before and behind appends of rows and of events, early and late."""
    config = write_settings(tmp_path, sources=[{"name": "archive", "git": str(long.folder)}])
    settings = load_settings(config)
    for kill_at, side in ((1, "behind"), (3, "before"), (2, "behind"), (5, "before")):
        assert started(take_in_history, config, kill_at, side).ended() == -signal.SIGKILL
    half = backfill(settings, now=None)
    assert 0 < half.commits < 200, "what was recorded is not walked again"
    assert rows(settings) == undisturbed
    assert backfill(settings, now=None) == Backfilled(of=0)


def test_killed_at_any_moment_and_run_again_it_has_the_rows_of_an_undisturbed_one(
    long: Origin, write_settings: Callable[..., Path], tmp_path: Path, undisturbed: list[tuple[object, ...]]
) -> None:
    config = write_settings(tmp_path, sources=[{"name": "archive", "git": str(long.folder)}])
    chance = random.Random(7)
    for _ in range(3):
        process = started(take_in_history, config, -1, "never")
        if chance.random() < 0.7:
            process.told.recv()  # it has begun to append
        time.sleep(chance.random() * 0.3)
        process.kill()
    settings = load_settings(config)
    backfill(settings, now=None)
    assert rows(settings) == undisturbed


# Beside refreshes


def test_a_later_backfill_leaves_the_state_of_every_file_as_the_refreshes_saw_it(
    origin: Origin, settings: Settings
) -> None:
    """Refreshes read every twentieth commit of a long history; the last commits were read by none."""
    commits = [(FIRST_COMMIT + number * 60, files) for number, (_, files) in enumerate(long_history(100))]
    archive = Archive(settings)
    origin.commit(*_commit(commits[0]))
    for start in range(0, 80, 20):
        archive.refresh()
        for number in range(start + 1, start + 21):
            origin.commit(*_commit(commits[number]))
    before = current(settings)
    versions = dict(archive.query("select version_id, last_seen_at from coverage.document_versions"))
    done = backfill(settings, now="2026-05-01T00:00:00Z")
    assert done.commits == 61, "what the last refresh read, and nothing behind it"
    assert current(settings) == before
    archive.refreshes += 100
    archive.refresh()
    assert archive.counts.accepted > 0, "the commits that were left"
    later = dict(archive.query("select version_id, last_seen_at from coverage.document_versions"))
    assert versions.keys() < later.keys()


def _commit(commit: tuple[int, Files]) -> tuple[Files, int]:
    return commit[1], commit[0]


def test_a_refresh_after_a_backfill_finds_nothing_new_and_a_meaning_seen_by_both_was_seen_once(
    origin: Origin, settings: Settings
) -> None:
    heats = [1, 2, 1]
    origin.commits([(FIRST_COMMIT + day * DAY, {"a.md": news(heat=heat)}) for day, heat in enumerate(heats)])
    backfill(settings)
    archive = Archive(settings, refreshes=2)
    archive.refreshes = 100
    archive.refresh()
    assert (archive.counts.accepted, archive.counts.unchanged) == (0, 1)
    expected = [
        (1, 2, True, at(FIRST_COMMIT), archive.column("select max(last_seen_at) from coverage.document_versions")[0]),
        (2, 1, False, at(FIRST_COMMIT + DAY), at(FIRST_COMMIT + DAY)),
    ]
    versions = (
        "select heat, times_seen, is_current, first_seen_at, last_seen_at from coverage.document_versions order by 1"
    )
    assert archive.query(versions) == expected


def test_a_backfill_after_a_refresh_adds_no_second_sight_of_the_same_meaning(
    origin: Origin, settings: Settings
) -> None:
    origin.commits([(FIRST_COMMIT, {"a.md": news(heat=1)}), (FIRST_COMMIT + DAY, {"a.md": news(heat=2)})])
    archive = Archive(settings)
    archive.refresh()
    backfill(settings, now="2026-03-01T12:00:00Z")
    archive.refresh()
    assert archive.counts.unchanged == 1
    assert archive.query(
        "select heat, times_seen, is_current, first_seen_at, day(last_seen_at) from coverage.document_versions"
        " order by heat"
    ) == [(1, 1, False, at(FIRST_COMMIT), 13), (2, 1, True, at(FIRST_COMMIT + DAY), 2)]


def test_a_meaning_lasted_until_the_next_commit_of_its_source_that_changed_it(
    origin: Origin, settings: Settings
) -> None:
    """Each commit that changed anything saw all the rest of the source too."""
    days: list[Files] = [
        {"a.md": news(heat=1), "b.md": news(heat=1)},
        {"b.md": news(heat=2)},
        {"b.md": news(heat=3)},
        {"a.md": news(heat=2)},
        {"b.md": None},
    ]
    origin.commits([(FIRST_COMMIT + day * DAY, files) for day, files in enumerate(days)])
    backfill(settings)
    archive = Archive(settings)
    archive.refresh()
    found = archive.query(
        f"select path, heat, date_diff('day', timestamptz '{at(FIRST_COMMIT).isoformat()}', last_seen_at)"
        " from coverage.document_versions where not is_current order by path, heat"
    )
    assert found == [("a.md", 1, 2), ("b.md", 1, 0), ("b.md", 2, 1), ("b.md", 3, 3)]


def test_a_commit_from_the_future_waits_for_a_refresh_and_is_dated_before_it(
    origin: Origin, settings: Settings
) -> None:
    future = int(datetime(2099, 1, 1, tzinfo=UTC).timestamp())
    when = [FIRST_COMMIT, future, FIRST_COMMIT + DAY]
    origin.commits([(moment, {"a.md": news(heat=heat)}) for heat, moment in enumerate(when)])
    backfill(settings)
    assert seen(settings) == [("a.md", "accepted", 0, at(FIRST_COMMIT))]
    archive = Archive(settings)
    archive.refresh()
    [(read_at,)] = archive.query("select seen_at from coverage.documents")
    assert isinstance(read_at, datetime)
    before = current(settings)
    done = backfill(settings, now="2026-03-01T12:00:00Z")
    assert done.commits == 2
    assert [row[2:] for row in seen(settings)] == [
        (0, at(FIRST_COMMIT)),
        (1, read_at - timedelta(microseconds=2)),
        (2, read_at - timedelta(microseconds=1)),
        (2, read_at),
    ]
    assert current(settings) == before
    assert backfill(settings, now="2026-03-01T13:00:00Z") == Backfilled(of=0)


def test_a_commit_at_the_very_moment_of_a_refresh_is_told_apart_from_it(origin: Origin, settings: Settings) -> None:
    archive = Archive(settings)
    origin.commit({"a.md": news(heat=1)})
    archive.refresh()
    moment = int(datetime(2026, 3, 1, 2, tzinfo=UTC).timestamp())
    origin.commit({"a.md": news(heat=2)}, at=moment)
    archive.refresh()
    backfill(settings, now="2026-03-03T00:00:00Z")
    assert [row[2:] for row in seen(settings)] == [
        (1, at(FIRST_COMMIT)),
        (1, at(moment)),
        (2, at(moment) + timedelta(microseconds=1)),
        (2, at(moment + DAY)),
    ]


def test_after_a_history_was_written_anew_a_refresh_comes_first(origin: Origin, settings: Settings) -> None:
    origin.commits([(FIRST_COMMIT + n, {"a.md": news(heat=n)}) for n in range(3)])
    archive = Archive(settings)
    archive.refresh()
    origin.commits([(FIRST_COMMIT + DAY + n, {"a.md": news(heat=n + 5)}) for n in range(3)], anew=True)
    before = rows(settings)
    with pytest.raises(SourceError, match="run `newsledger refresh` first"):
        backfill(settings, now="2026-03-01T12:00:00Z")
    assert rows(settings) == before
    archive.refresh()
    assert backfill(settings, now="2026-03-02T12:00:00Z").commits == 3
    assert [(status, heat) for _, status, heat, _ in seen(settings)][-1] == ("accepted", 7)


def test_what_a_killed_backfill_left_half_done_the_next_refresh_puts_right(origin: Origin, settings: Settings) -> None:
    """A file that came and went between two refreshes: the backfill dies with its coming alone in the log."""
    archive = Archive(settings)
    origin.commit({"a.md": news()})
    archive.refresh()
    origin.commit({"ghost.md": news()}, at=FIRST_COMMIT + DAY)
    origin.commit({"ghost.md": None}, at=FIRST_COMMIT + 2 * DAY)
    archive.refresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "STRETCH_VERSIONS", 1)
        with begin_backfill(settings, "killed", "2026-03-02T12:00:00Z") as begun:
            for done in backfilled(begun, "archive", None):
                if done.commits == 2:
                    break
    assert ("ghost.md", "accepted") in [row[:2] for row in current(settings)]
    archive.refresh()
    assert ("ghost.md", "removed") in [row[:2] for row in current(settings)]
    assert archive.column("select path from coverage.documents where status <> 'removed'") == ["a.md"]


# What cannot be


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("yesterday", "neither a date nor an ISO time; write 2024-05-01"),
        ("HEAD~3", "neither a date nor an ISO time"),
        ("2024-13-01", "neither a date nor an ISO time"),
        ("2024-05-01T12:00:00", "names no time zone; add Z"),
    ],
)
def test_a_start_that_is_no_time_is_refused(origin: Origin, settings: Settings, since: str, told: str) -> None:
    origin.commit({"a.md": news()})
    with pytest.raises(ClockError, match=told):
        backfill(settings, since)
    assert rows(settings) == []


def test_a_folder_has_no_history(settings_for: SettingsFor, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, sources=[{"name": "archive", "path": str(tmp_path)}])
    with pytest.raises(SourceError, match="has no history; only a source with `git`"):
        backfill(settings)


def test_an_unknown_source_is_named_beside_the_known_ones(settings: Settings) -> None:
    with begin_backfill(settings, "run", NOW) as begun, pytest.raises(SourceError, match=r"'nosuch'.*archive"):
        next(backfilled(begun, "nosuch", None))


def test_a_remote_that_gives_no_history_says_so_and_nothing_is_written(
    origin: Origin, settings_for: SettingsFor, tmp_path: Path
) -> None:
    origin.commits([(FIRST_COMMIT + n, {"a.md": news(heat=n)}) for n in range(3)])
    git("clone", "--quiet", "--depth=1", origin.folder.as_uri(), tmp_path / "shallow")
    settings = settings_for(tmp_path, sources=[{"name": "archive", "git": str(tmp_path / "shallow")}])
    with pytest.raises(SourceError, match="without all of its history"):
        backfill(settings)
    assert rows(settings) == []


# The command


@pytest.fixture
def newsledger(origin: Origin, write_settings: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    config = write_settings(tmp_path, sources=[{"name": "archive", "git": str(origin.folder)}])

    def run(*arguments: str, exit_code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments, "-c", str(config)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == exit_code, done.stderr
        return done.stdout + done.stderr

    return run


def test_the_command_tells_what_it_took_in_and_the_next_refresh_shows_it(
    origin: Origin, newsledger: Callable[..., str], tmp_path: Path
) -> None:
    origin.commits([(FIRST_COMMIT + day * DAY, {"_news/a.md": news(heat=day)}) for day in range(5)])
    settings = load_settings(tmp_path / "newsledger.yaml")
    assert "appended 2 rows to the documents log (2 accepted)" in newsledger(
        "backfill", "archive", "--since", "2020-09-16"
    )
    told = newsledger("backfill", "archive")
    assert "archive: walked 5 commits, 5 versions of files" in told
    assert "appended 3 rows" in told
    assert "newsledger refresh" in told
    refresh(settings)
    file = read_file(settings.warehouse_file)
    heats = query(file, "select heat, first_seen_at from coverage.document_versions order by 1").to_pylist()
    assert heats == [{"heat": day, "first_seen_at": at(FIRST_COMMIT + day * DAY)} for day in range(5)]
    assert query(file, "select outcome from ops.refreshes").to_pylist() == [{"outcome": "published"}]
    assert query(file, "from reports.changed_in_last_refresh").num_rows == 0
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        runs = [(run.job_name, run.tags["newsledger/kind"], run.status) for run in reversed(instance.get_runs())]
    done = dg.DagsterRunStatus.SUCCESS
    assert runs == [("backfill_history", "backfill", done)] * 2


def test_an_error_of_the_command_is_one_message(origin: Origin, newsledger: Callable[..., str]) -> None:
    origin.commit({"a.md": news()})
    printed = newsledger("backfill", "nosuch", exit_code=1)
    assert printed == "newsledger: no source is named 'nosuch'; the settings name archive\n"


def test_a_backfill_waits_for_nobody_and_says_who_is_at_work(origin: Origin, settings: Settings) -> None:
    origin.commit({"a.md": news()})
    with hold_lock(settings.lock_file, "a refresh of a test"), pytest.raises(RefreshBusyError, match="of a test"):
        backfill(settings)
    with begin_backfill(settings, "one", NOW), pytest.raises(RefreshBusyError, match="backfill, run one"):
        backfill(settings)

"""The SQL files themselves: every data check with rows that trip it and rows that do not, and what each relation says
of itself held against what it yields."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import Relation, relations, sql_folder
from pipeline.lake.session import open_session
from pipeline.model.tables import TABLES
from pipeline.settings import Executor, Settings, Source
from tests.conftest import SEED_SITE
from tests.tables import FIRST_REFRESH, Archive, Row, hand_made, repeated_keys, uid

Tables = dict[str, list[Row]]

REFRESH: Tables = {"this.refresh": [{"refresh_id": "r1", "started_at": FIRST_REFRESH}]}
COUNTED = {"files_seen": 10, "files_accepted": 4, "files_rejected": 3, "files_skipped": 2, "files_unchanged": 1}
STORY = {"story_id": uid(1), "lead_article_id": uid(2), "path": "_news/a.md", "heat": 70, "quality": 50}
USE = {"source": "tide", "path": "_news/a.md", "version_id": uid(1), "pointer": "/webUrl", "raw": "https://a.example/"}


def read(**counts: int | None) -> Tables:
    return REFRESH | {"log.refreshes": [{"refresh_id": "r1", "event": "read", "source": "tide"} | COUNTED | counts]}


def swept(refresh_id: str = "r1", due: int | None = 9) -> Tables:
    event = {"refresh_id": refresh_id, "event": "swept", "urls_due": due, "urls_checked": 7, "urls_postponed": 2}
    return REFRESH | {"log.refreshes": [event]}


def drifted(refresh_id: str, *published: str) -> Tables:
    events: list[Row] = [{"refresh_id": published_id, "event": "published"} for published_id in published]
    started: Row = {"refresh_id": "r9", "event": "started"}
    return {"ops.schema_changes": [{"refresh_id": refresh_id}], "log.refreshes": [*events, started]}


def accepted(related: list[object] | None, mentions: int, is_story: bool = True) -> Tables:
    documents = {"version_id": uid(1), "is_story": is_story, "related": related}
    # A second file tells DuckDB the type of a list that is not there.
    typed = {"version_id": uid(2), "is_story": False, "related": [{"title": "x"}]}
    found: list[Row] = [{"version_id": uid(1), "mention_id": uid(number)} for number in range(mentions)]
    return {"staging.accepted_documents": [documents, typed], "coverage.mentions": found}


def dated(days: float | None) -> Tables:
    when = None if days is None else FIRST_REFRESH + timedelta(days=days)
    return REFRESH | {"coverage.mentions": [{"mention_id": uid(1), "published_at": when}]}


def bodies(*searched: bool) -> Tables:
    documents = [{"version_id": "v1", "source": "tide", "path": "_samples/a.md", "body": "<p>"}]
    return {
        "staging.accepted_documents": documents,
        "forms.body_links": [{"version_id": "v1", "is_searched": found} for found in searched]
        or [{"version_id": "v0", "is_searched": False}],
    }


def story(**more: object) -> Tables:
    return {"coverage.stories": [STORY | {"related_count": 2} | more]}


ITEM = {"title": "x"}
CASES: dict[str, tuple[dict[str, Tables], dict[str, Tables]]] = {
    "bodies_are_searched": (
        {"one was not": bodies(False)},
        {"all were": bodies(True), "none holds a link": bodies()},
    ),
    "every_url_use_is_kept": (
        {
            "lost": {"staging.url_uses": [USE], "coverage.url_uses": []},
            "kept at another place": {"staging.url_uses": [USE], "coverage.url_uses": [USE | {"pointer": "/related"}]},
            "another text": {"staging.url_uses": [USE], "coverage.url_uses": [USE | {"raw": "https://b.example/"}]},
        },
        {"kept": {"staging.url_uses": [USE], "coverage.url_uses": [USE]}},
    ),
    "files_add_up": (
        {"one lost": read(files_seen=11), "one twice": read(files_unchanged=2), "uncounted": read(files_skipped=None)},
        {
            "they do": read(),
            "an earlier refresh": read(files_seen=11) | {"this.refresh": [{"refresh_id": "r2"}]},
        },
    ),
    "heat_follows_the_lead_rule": (
        {"heat too low": story(heat=50), "a single story": story(related_count=0)},
        {"a lead": story(), "outranked": story(heat=-1), "no heat": story(heat=None), "unrated": story(quality=None)},
    ),
    "lead_articles_exist": (
        {"none of that id": story() | {"coverage.articles": [{"article_id": uid(3)}]}},
        {"led": story() | {"coverage.articles": [{"article_id": uid(2)}]}},
    ),
    "mentions_add_up": (
        {
            "a related item lost": accepted([ITEM, ITEM], 2),
            "a story lost": accepted(None, 0),
            "a mention doubled": accepted([ITEM], 3),
            "of no story": accepted(None, 1, is_story=False),
        },
        {
            "main and related": accepted([ITEM, ITEM], 3),
            "no related items": accepted(None, 1),
            "a slug is no mention": accepted([ITEM, None], 2),
            "no story": accepted([ITEM], 0, is_story=False),
        },
    ),
    "published_in_the_future": (
        {"in two days": dated(2)},
        {"in half a day": dated(0.5), "long ago": dated(-500), "undated": dated(None)},
    ),
    "schema_drift": (
        {"since the last published": drifted("r2", "r1"), "since several": drifted("r2", "r0", "r1")},
        {
            "published": drifted("r2", "r2"),
            "published long ago": drifted("r2", "r1", "r3"),
            "by a first refresh that was killed half-way": drifted("r2"),
        },
    ),
    "urls_add_up": (
        {"one lost": swept(due=10), "one too many": swept(due=8), "uncounted": swept(due=None)},
        {"they do": swept(), "an earlier night": swept("r0", due=10), "no sweep": read()},
    ),
    "used_urls_exist": (
        {"none of that id": {"coverage.url_uses": [{"url_id": uid(1)}], "coverage.urls": [{"url_id": uid(2)}]}},
        {"there": {"coverage.url_uses": [{"url_id": uid(1)}], "coverage.urls": [{"url_id": uid(1)}]}},
    ),
}  # fmt: skip
TRIPPING = [
    pytest.param(name, tables, id=f"{name}: {case}")
    for name, (cases, _) in CASES.items()
    for case, tables in cases.items()
]
PASSING = [
    pytest.param(name, tables, id=f"{name}: {case}")
    for name, (_, cases) in CASES.items()
    for case, tables in cases.items()
]
RELATIONS = [made for schema in ("coverage", "links", "reports", "ops") for made in relations(schema)]


def check(name: str) -> Relation:
    return {found.name: found for found in relations("checks")}[name]


def offenders(name: str, tables: Tables, scratch: Path) -> int:
    with hand_made(tables, scratch) as session:
        return session.table(check(name).sql).num_rows


@pytest.mark.parametrize(("name", "tables"), TRIPPING)
def test_a_check_shows_what_offends(name: str, tables: Tables, tmp_path: Path) -> None:
    assert offenders(name, tables, tmp_path) == 1


@pytest.mark.parametrize(("name", "tables"), PASSING)
def test_a_check_passes_what_does_not(name: str, tables: Tables, tmp_path: Path) -> None:
    assert offenders(name, tables, tmp_path) == 0


@pytest.mark.parametrize("made", relations("checks"), ids=lambda made: made.name)
def test_every_check_has_cases_and_says_how_it_is_run(made: Relation) -> None:
    assert made.name in CASES, "write a case that trips it and one that does not"
    assert made.description
    assert made.tags["on"] in TABLES
    assert made.tags["severity"] in ("error", "warn")
    assert made.tags.get("blocking", "no") in ("yes", "no")
    assert made.tags["message"]


def test_an_offending_row_names_the_version_that_should_not_be_there(tmp_path: Path) -> None:
    with hand_made(accepted(None, 1, is_story=False), tmp_path) as session:
        assert session.table(check("mentions_add_up").sql).to_pylist()[0]["expected"] == 0
        assert session.run(f"select version_id::varchar from ({check('mentions_add_up').sql})") == [(uid(1),)]


@pytest.mark.parametrize("made", RELATIONS, ids=lambda made: made.full_name)
def test_every_relation_says_what_it_holds_what_a_row_is_and_what_names_it(made: Relation) -> None:
    assert made.description
    assert made.tags["grain"]
    declared = {column.name for column in TABLES[made.full_name].columns}
    assert made.key
    assert set(made.key) <= declared


def test_every_declared_table_has_its_sql_and_every_sql_its_declaration() -> None:
    """But ops.catalog, which is written with the warehouse."""
    assert {made.full_name for made in RELATIONS} == set(TABLES) - {"ops.catalog"}


def test_every_sql_file_is_of_a_known_kind() -> None:
    assert {folder.name for folder in sql_folder().iterdir()} == {
        *("staging", "coverage", "links", "reports", "ops", "checks"),
    }


@pytest.fixture(scope="module")
def sample_tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Parquet file of every table, after two refreshes of the sample."""
    folder = tmp_path_factory.mktemp("sample")
    sources = (Source(name="sample", path=Path(shutil.copytree(SEED_SITE, folder / "site"))),)
    archive = Archive(Settings(data_dir=folder / "data", sources=sources, executor=Executor(kind="serial")))
    archive.refresh()
    next((archive.folder / "_news").glob("*.md")).unlink()
    archive.refresh()
    with (
        begin_refresh(archive.settings, "the rest", (FIRST_REFRESH + timedelta(days=9)).isoformat()) as refresh,
        refresh.session() as session,
    ):
        builder = refresh.builder(session)
        for schema in ("links", "reports", "ops"):
            builder.build(schema)
    return archive.files()


@pytest.mark.parametrize("made", RELATIONS, ids=lambda made: made.full_name)
def test_a_key_names_one_row_on_the_sample(made: Relation, sample_tables: dict[str, Path], tmp_path: Path) -> None:
    with open_session("200MB", tmp_path) as session:
        session.attach_table(made.full_name, sample_tables[made.full_name])
        assert repeated_keys(session.connection, made) == []
        if made.schema == "coverage":
            assert session.value(f"select count(*) from {made.full_name}") != 0, "the sample must have such rows"

"""The SQL files themselves: every data check with rows that trip it and rows that do not, and what each relation says
of itself held against what it yields."""

import shutil
from datetime import UTC, datetime, timedelta
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


def named(*columns: str, besides: str) -> list[tuple[str, str]]:
    """Each column of that name in the schema coverage, but for the table (or column) that is referred to."""
    return [
        (table.full_name, column.name)
        for table in TABLES.values()
        for column in table.columns
        if table.schema == "coverage"
        and column.name in columns
        and besides not in (table.full_name, f"{table.full_name}.{column.name}")
    ]


def dangling(check: str) -> dict[str, Tables]:
    """For each column that refers: one row that refers to nothing, all else in order."""
    return {
        f"{table}.{column}": dangling_not(check) | {table: [referring(check, table), referring(check, table, column)]}
        for table, column in REFERRING[check]
    }


def dangling_not(check: str) -> Tables:
    referred, key = REFERRED[check]
    rows = {table: [referring(check, table)] for table, _ in REFERRING[check]}
    own = rows.get(referred, [{}])[0]
    return rows | {referred: [dict(own) | {key: "a.example" if key == "domain" else uid(1)}]}


def referring(check: str, table: str, dangling: str = "") -> Row:
    _, key = REFERRED[check]
    good, bad = ("a.example", "b.example") if key == "domain" else (uid(1), uid(9))
    own = {key: good} if table == REFERRED[check][0] else {}
    return own | {column: bad if column == dangling else good for name, column in REFERRING[check] if name == table}


def all_empty(schema: str) -> Tables:
    return {made.full_name: [] for made in relations(schema)}


def repeating(schema: str) -> dict[str, Tables]:
    """Each table with a row that stands twice."""
    return {name: all_empty(schema) | {name: [{}, {}]} for name in all_empty(schema)}


def clustered(clusters: dict[int, tuple[int, int]], articles: dict[int, int] | None = None) -> Tables:
    """Stories with their cluster and its count, and the article that each lists."""
    articles = articles or dict.fromkeys(clusters, 9)
    return {
        "coverage.stories": [{"story_id": uid(story)} for story in articles],
        "coverage.story_articles": [{"story_id": uid(s), "article_id": uid(a)} for s, a in articles.items()],
        "coverage.story_clusters": [
            {"story_id": uid(story), "cluster_id": uid(cluster), "story_count": count}
            for story, (cluster, count) in clusters.items()
        ],
    }


def counted(table: str = "", wrong: Row | None = None) -> Tables:
    """A story and a related item of one article, of one outlet, with two URLs and an image; one value made wrong."""
    mention = {"article_id": uid(2), "story_id": uid(1), "outlet_id": uid(5)}
    tables: Tables = {
        "coverage.mentions": [mention | {"role": "main"}, mention | {"role": "related"}],
        "coverage.stories": [{"story_id": uid(1), "related_count": 1}],
        "coverage.articles": [{"article_id": uid(2), "mention_count": 2, "story_count": 1}],
        "coverage.url_uses": [{"url_id": uid(3)}, {"url_id": uid(3)}],
        "coverage.urls": [{"url_id": uid(3), "use_count": 2}],
        "coverage.image_uses": [{"image_id": uid(4)}],
        "coverage.images": [{"image_id": uid(4), "use_count": 1}],
        "coverage.outlets": [{"outlet_id": uid(5), "domain": "a.example", "times_seen": 2}],
        "coverage.providers": [{"domain": "a.example", "times_seen": 2, "name_count": 1}],
    }
    if wrong:
        first, *others = tables[table]
        tables[table] = [dict(first) | dict(wrong), *others]
    if table == "coverage.outlets":  # whose provider would be wrong with it
        tables["coverage.providers"] = [{"domain": "a.example", "times_seen": 1, "name_count": 1}]
    return tables


def filed(days: int | None, path: str = "_news/2026-03-01-a.md") -> Tables:
    when = None if days is None else FIRST_REFRESH + timedelta(days=days)
    return {"coverage.stories": [STORY | {"path": path, "published_at": when}]}


def listed(articles: list[int]) -> Tables:
    """A story of article 1 with those related items."""
    positions = enumerate([1, *articles])
    return {
        "coverage.stories": [{"story_id": uid(1), "lead_article_id": uid(1)}],
        "coverage.mentions": [
            {"story_id": uid(1), "article_id": uid(article), "position": n, "role": "related" if n else "main"}
            for n, article in positions
        ],
    }


def rated(*qualities: int | None) -> Tables:
    """A story with related items of those qualities, behind another's."""
    mine = [
        {"story_id": uid(1), "role": "related", "position": n, "quality": quality}
        for n, quality in enumerate(qualities, start=1)
    ]
    other = {"story_id": uid(2), "role": "related", "position": 1, "quality": 1}
    main = {"story_id": uid(1), "role": "main", "position": 0, "quality": 1}
    stories = [{"story_id": uid(1)}, {"story_id": uid(2)}]
    return {"coverage.mentions": [other, main, *mine], "coverage.stories": stories}


def told(*sources: str) -> Tables:
    """A file of each source that tells the same article."""
    return {
        "coverage.stories": [
            {"source": source, "path": f"_news/{n}.md", "lead_article_id": uid(1)} for n, source in enumerate(sources)
        ],
        "coverage.articles": [{"article_id": uid(1)}],
    }


def topics(used: bool = False, described: bool = True, parent_is_defined: bool = True) -> Tables:
    rows: list[Row] = [
        {"topic_id": uid(1), "name": "Tide", "is_defined": described, "parent_topic_id": uid(2)},
        {"topic_id": uid(2), "name": "Energy", "is_defined": described and parent_is_defined},
        {"topic_id": uid(3), "name": "Grid", "is_defined": False, "story_count": int(used)},
    ]
    return {"coverage.topics": rows}


def provided(provider: str | None, host: str, domain: str, problem: str | None = None) -> Tables:
    mention = {"version_id": uid(1), "pointer": "/related/0", "provider_domain": provider, "web_url": "raw"}
    use = {"version_id": uid(1), "pointer": "/related/0/webUrl", "raw": "raw", "url_id": uid(3)}
    url = {"url_id": uid(3), "host": host, "registrable_domain": domain, "problem": problem}
    return {"coverage.mentions": [mention], "coverage.url_uses": [use], "coverage.urls": [url]}


def plausible(image: Row | None = None, **mention: object) -> Tables:
    return {"coverage.mentions": [mention], "coverage.image_uses": [] if image is None else [image]}


ITEM = {"title": "x"}
REFERRED: dict[str, tuple[str, str]] = {
    "articles_exist": ("coverage.articles", "article_id"),
    "images_exist": ("coverage.images", "image_id"),
    "judged_urls_exist": ("coverage.urls", "url_id"),
    "outlets_exist": ("coverage.outlets", "outlet_id"),
    "providers_exist": ("coverage.providers", "domain"),
    "stories_exist": ("coverage.stories", "story_id"),
    "topics_exist": ("coverage.topics", "topic_id"),
    "urls_exist": ("coverage.urls", "url_id"),
    "versions_exist": ("coverage.document_versions", "version_id"),
}
"""What each check of references holds the others to."""
REFERRING: dict[str, list[tuple[str, str]]] = {
    "articles_exist": named("article_id", "lead_article_id", besides="coverage.articles"),
    "images_exist": named("image_id", besides="coverage.images"),
    "judged_urls_exist": [("links.states", "url_id"), ("links.due", "url_id")],
    "outlets_exist": named("outlet_id", besides="coverage.outlets"),
    "providers_exist": [("coverage.outlets", "domain")],
    "stories_exist": named("story_id", "cluster_id", besides="coverage.stories"),
    "topics_exist": named("topic_id", "parent_topic_id", besides="coverage.topics.topic_id"),
    "urls_exist": named("url_id", besides="coverage.urls"),
    "versions_exist": named("version_id", "accepted_version_id", besides="coverage.document_versions"),
}
"""Every column that refers to it: of the schema coverage, by the names of its columns."""
UNIQUE = {"keys_are_unique": "coverage", "keys_of_links_are_unique": "links"}
CASES: dict[str, tuple[dict[str, Tables], dict[str, Tables]]] = {
    "bodies_are_searched": (
        {"one was not": bodies(False)},
        {"all were": bodies(True), "none holds a link": bodies()},
    ),
    "every_url_use_is_kept": (
        {
            "lost": {"staging.written_urls": [USE], "coverage.url_uses": []},
            "kept at another place": {
                "staging.written_urls": [USE],
                "coverage.url_uses": [USE | {"pointer": "/related"}],
            },
            "another text": {"staging.written_urls": [USE], "coverage.url_uses": [USE | {"raw": "https://b.example/"}]},
        },
        {"kept": {"staging.written_urls": [USE], "coverage.url_uses": [USE]}},
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
    "articles_are_identified": (
        {"by domain, title and time": {"coverage.articles": [{"is_identified": False}]}},
        {"by a URL": {"coverage.articles": [{"is_identified": True}]}},
    ),
    "clusters_hold_together": (
        {
            "torn apart": clustered({1: (1, 1), 2: (2, 1)}),
            "counted wrongly": clustered({1: (1, 3), 2: (1, 3)}),
            "named by another": clustered({1: (2, 2), 2: (2, 2)}),
            "left out": clustered({1: (1, 1)}, {1: 8, 2: 9}),
        },
        {"in one": clustered({1: (1, 2), 2: (1, 2)}), "apart": clustered({1: (1, 1), 2: (2, 1)}, {1: 8, 2: 9})},
    ),
    "counts_add_up": (
        {
            f"{table}.{column}": counted(table, {column: wrong})
            for table, column, wrong in [
                ("coverage.articles", "mention_count", 3),
                ("coverage.articles", "story_count", 0),
                ("coverage.stories", "related_count", 2),
                ("coverage.urls", "use_count", 1),
                ("coverage.images", "use_count", 0),
                ("coverage.outlets", "times_seen", 1),
                ("coverage.providers", "times_seen", 1),
                ("coverage.providers", "name_count", 2),
            ]
        }
        | {"a story without a main item": counted("coverage.mentions", {"role": "related"})},
        {"they do": counted()},
    ),
    "dates_are_those_of_the_file_names": (
        {"two days before": filed(-2), "a month after": filed(30)},
        {
            "that day": filed(0),
            "the next": filed(1),
            "undated": filed(None),
            "no date in the name": filed(9, "_news/a.md"),
            "no day of the calendar": filed(9, "_news/2026-02-30-a.md"),
            "a folder's name": filed(9, "_news/2026-03-01-a/b.md"),
        },
    ),
    "no_related_item_is_repeated": (
        {"twice": listed([2, 3, 2])},
        {"once each": listed([2, 3]), "the main item's own": listed([1])},
    ),
    "no_story_lists_itself": ({"it does": listed([2, 1])}, {"it does not": listed([2, 3])}),
    "no_text_is_escaped_twice": (
        {"one was": {"coverage.mentions": [{"is_twice_escaped": True}]}},
        {"none": {"coverage.mentions": [{"is_twice_escaped": False}, {"is_twice_escaped": None}]}},
    ),
    "providers_have_one_name": (
        {"two": {"coverage.outlets": [{"domain": "a.example", "name": name} for name in ("A", "B")]}},
        {"one each": {"coverage.outlets": [{"domain": domain, "name": "A"} for domain in ("a.example", "b.example")]}},
    ),
    "related_items_are_in_order": (
        {"a better one behind": rated(90, 40, 50), "behind one without quality": rated(40, None, 50)},
        {"falling": rated(90, 50, 40), "alike": rated(50, 50), "one alone": rated(50), "unrated": rated(None, 50)},
    ),
    "stories_are_current": (
        {"a file turned bad": {"coverage.stories": [STORY | {"is_stale": True}]}},
        {"it did not": {"coverage.stories": [STORY]}},
    ),
    "stories_are_told_once": (
        {"by two files": told("tide", "tide")},
        {"in two sources": told("tide", "wave"), "by one file": told("tide")},
    ),
    "story_topics_are_defined": (
        {"one is not": topics(used=True)},
        {"not used": topics(used=False), "nothing is described": topics(used=True, described=False)},
    ),
    "topic_parents_are_defined": (
        {"it is only named": topics(parent_is_defined=False)},
        {"it is": topics(parent_is_defined=True)},
    ),
    "urls_are_on_the_provider_s_domain": (
        {
            "another": provided("harbour.example", "post.example", "post.example"),
            "one that ends alike": provided("post.example", "my-post.example", "my-post.example"),
        },
        {
            "its own": provided(" Post.example", "post.example", "post.example"),
            "below it": provided("post.example", "www.post.example", "post.example"),
            "a channel's": provided("news.post.example", "news.post.example", "post.example"),
            "the domain above the provider's": provided("post.co.example", "a.post.co.example", "co.example"),
            "no provider": provided(None, "post.example", "post.example"),
            "no usable URL": provided("post.example", "", "", problem="invalid"),
        },
    ),
    "values_are_plausible": (
        {
            "quality": plausible(quality=-1),
            "heat": plausible(heat=-2),
            "older than the web": plausible(published_at=datetime(1970, 1, 1, tzinfo=UTC)),
            "width": plausible({"width": 0}),
            "height": plausible({"height": -5, "width": 3}),
        },
        {
            "in range": plausible({"width": 1, "height": 1}, quality=0, heat=-1, published_at=FIRST_REFRESH),
            "unknown": plausible({}),
        },
    ),
}
CASES |= {name: (dangling(name), {"all of them do": dangling_not(name)}) for name in REFERRING}
CASES |= {name: (repeating(schema), {"they do": all_empty(schema)}) for name, schema in UNIQUE.items()}
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
        *("staging", "coverage", "links", "reports", "ops", "checks", "macros"),
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
        session.attach_table(made.full_name, [sample_tables[made.full_name]])
        assert repeated_keys(session.connection, made) == []
        if made.schema == "coverage":
            assert session.value(f"select count(*) from {made.full_name}") != 0, "the sample must have such rows"

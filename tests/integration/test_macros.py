"""The macros of the warehouse, called as an analyst calls them, on a published file."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.lake.relations import relations
from pipeline.warehouse import query
from tests.tables import Row, uid
from tests.warehouses import published

Ask = Callable[..., list[tuple[object, ...]]]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Callable[[Mapping[str, Iterable[Row]]], Ask]:
    """Publishes hand-made tables; what comes back asks them."""

    def publish(rows: Mapping[str, Iterable[Row]]) -> Ask:
        names = set().union(*(macro.reads for macro in relations("macros")))
        file = published({name: rows.get(name, ()) for name in names}, tmp_path)

        def ask(sql: str, *parameters: object) -> list[tuple[object, ...]]:
            return [tuple(row.values()) for row in query(file, sql, parameters).to_pylist()]

        return ask

    return publish


def article(number: int, title: str | None, excerpt: str | None = None, age: int = 0) -> Row:
    return {
        "article_id": uid(number),
        "title": title,
        "excerpt": excerpt,
        "published_at": NOON - timedelta(days=age),
        "identity_url": f"https://a.example/{number}",
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tide", ["The Tide turns", "A tidal lagoon at high tide", "Café opens"]),
        ("TIDE  turns", ["The Tide turns"]),
        ("lagoon\ttide", ["A tidal lagoon at high tide"]),
        ("cafe", ["Café opens"]),
        ("CAFÉ tide", ["Café opens"]),
        ("lago", ["A tidal lagoon at high tide"]),
        ("tide train", []),
        ("100%", ["100% of it"]),
        ("0%_", []),
        ("", []),
        ("  ", []),
        ("'; drop table x; --", []),
    ],
)
def test_a_search_finds_articles_that_have_every_word_best_first(
    warehouse: Callable[..., Ask], words: str, found: list[str]
) -> None:
    """In the title before in the excerpt, then the newest; a percent sign is one."""
    ask = warehouse(
        {
            "coverage.articles": [
                article(1, "Café opens", "Open at every tide."),
                article(2, "A tidal lagoon at high tide", None, age=9),
                article(3, "The Tide turns", "", age=5),
                article(4, None, None),
                article(5, "100% of it"),
            ]
        }
    )
    assert [title for (title,) in ask("select title from search(?)", words)] == found


def test_a_search_says_who_published_what_it_found(warehouse: Callable[..., Ask]) -> None:
    told = article(1, "The tide") | {"outlet_id": uid(7), "story_count": 3}
    ask = warehouse({"coverage.articles": [told], "coverage.outlets": [{"outlet_id": uid(7), "name": "A Post"}]})
    rows = ask("select outlet, story_count, title_words, identity_url from search('tide')")
    assert rows == [("A Post", 3, 1, "https://a.example/1")]


@pytest.mark.parametrize(
    "url", ["https://a.example/x?utm_source=f", "https://a.example/x", " HTTP://A.example/x ", "https://old.example/"]
)
def test_the_history_of_a_link_is_found_whichever_way_it_is_written(warehouse: Callable[..., Ask], url: str) -> None:
    """As asked, as what it is about, as it stands in a file; or as it was asked, where no file has it any more."""
    gone = url.startswith("https://old")
    link = uid(9 if gone else 1)
    ask = warehouse(
        {
            "coverage.urls": [
                {"url_id": uid(1), "fetch_url": "https://a.example/x?utm_source=f"}
                | {"identity_url": "https://a.example/x"},
                {"url_id": uid(2), "fetch_url": "https://a.example/y", "identity_url": "https://a.example/y"},
            ],
            "coverage.url_uses": [{"url_id": uid(1), "raw": " HTTP://A.example/x "}],
            "links.checks": [
                {"url_id": uid(9), "request_url": "https://old.example/", "hop": 0},
                {"url_id": uid(2), "request_url": "https://old.example/", "hop": 1},
            ],
            "links.verdicts": [
                {"url_id": link, "night": date(2026, 3, 9), "verdict": "gone"},
                {"url_id": link, "night": date(2026, 3, 2), "verdict": "alive"},
                {"url_id": uid(2), "night": date(2026, 3, 2), "verdict": "moved"},
            ],
        }
    )
    assert ask("select night, verdict, fetch_url from link_history(?)", url) == [
        (date(2026, 3, 2), "alive", None if gone else "https://a.example/x?utm_source=f"),
        (date(2026, 3, 9), "gone", None if gone else "https://a.example/x?utm_source=f"),
    ]
    assert ask("select * from link_history('https://nowhere.example/')") == []


@pytest.mark.parametrize("file", ["site/_news/a.md", "_news/a.md", "a.md"])
def test_a_story_is_told_in_order_by_its_path_or_the_end_of_it(warehouse: Callable[..., Ask], file: str) -> None:
    story = {"story_id": uid(1), "source": "s", "path": "site/_news/a.md", "published_at": NOON}
    ask = warehouse(
        {
            "coverage.stories": [story, {"story_id": uid(2), "path": "site/_news/aa.md"}],
            "coverage.mentions": [
                {"story_id": uid(1), "article_id": uid(12), "position": 1, "published_at": NOON + timedelta(hours=1.5)},
                {"story_id": uid(1), "article_id": uid(11), "position": 0, "published_at": NOON, "outlet_id": uid(7)},
                {"story_id": uid(2), "article_id": uid(11), "position": 0},
            ],
            "coverage.articles": [article(11, "Main") | {"url_id": uid(5)}, article(12, "Follows")],
            "coverage.outlets": [{"outlet_id": uid(7), "name": "A Post"}],
            "coverage.urls": [{"url_id": uid(5), "fetch_url": "https://a.example/11"}],
            "links.states": [{"url_id": uid(5), "state": "dead"}],
        }
    )
    assert ask("select position, title, outlet, lag_hours, state, fetch_url from story(?)", file) == [
        (0, "Main", "A Post", 0.0, "dead", "https://a.example/11"),
        (1, "Follows", None, 1.5, None, None),
    ]
    assert ask("from story('b.md')") == []


def test_macros_explain_themselves(warehouse: Callable[..., Ask]) -> None:
    ask = warehouse({})
    called = [macro.tags["call"] for macro in relations("macros")]
    assert ask("select relation, schema from ops.catalog where kind = 'macro'") == [
        (call, "main") for call in sorted(called)
    ]
    commented = ask("select function_name from duckdb_functions() where comment is not null and not internal")
    assert sorted(name for (name,) in commented) == sorted(call.partition("(")[0] for call in called)

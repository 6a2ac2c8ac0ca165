"""The marts that answer common questions: each with a case that shows and one that does not."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.tables import Row, hand_made, uid, yielded

Mart = Callable[..., list[dict[str, object]]]
NIGHT = date(2026, 3, 9)
DAY = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def mart(tmp_path: Path) -> Mart:
    """The rows of a mart over hand-made tables."""

    def rows_of(full_name: str, tables: dict[str, list[Row]], *columns: str) -> list[dict[str, object]]:
        with hand_made(tables, tmp_path) as session:
            return [{name: row[name] for name in columns or row} for row in yielded(session, full_name)]

    return rows_of


# dead_links


def links(*judged: tuple[str, str | None]) -> dict[str, list[Row]]:
    """One URL for each state and last verdict, at one place each."""
    links = [(uid(number), state, verdict) for number, (state, verdict) in enumerate(judged)]
    before = NIGHT - timedelta(7)
    return {
        "coverage.urls": [{"url_id": url, "fetch_url": f"https://a.example/{state}"} for url, state, _ in links],
        "links.states": [
            {"url_id": url, "state": state, "last_verdict": verdict, "last_night": NIGHT if verdict else None}
            for url, state, verdict in links
        ],
        "links.verdicts": [
            {"url_id": url, "night": night, "verdict": judgement, "http_status": 200 + night.day}
            for url, _, verdict in links
            for night, judgement in ((before, "alive"), (NIGHT, verdict))
            if verdict
        ],
        "coverage.url_uses": [{"url_id": url, "pointer": "/webUrl", "version_id": url} for url, *_ in links],
        "coverage.stories": [],
    }


def test_dead_links_are_those_whose_last_judgement_is_bad(mart: Mart) -> None:
    """From the first bad night on; the judgement shown is that of the last night, not of an earlier one."""
    tables = links(
        ("failing", "gone"),
        ("dead", "unreachable"),
        ("alive", "alive"),
        ("alive", "moved"),
        ("blocked", "blocked"),
        ("insecure", "insecure"),
        ("unknown", None),
    )
    assert mart("reports.dead_links", tables, "fetch_url", "state", "verdict", "http_status") == [
        {"fetch_url": "https://a.example/failing", "state": "failing", "verdict": "gone", "http_status": 209},
        {"fetch_url": "https://a.example/dead", "state": "dead", "verdict": "unreachable", "http_status": 209},
    ]


def test_a_dead_link_is_shown_at_every_place_it_stands_in(mart: Mart) -> None:
    """With the title of the story, where the file is one."""
    tables = links(("dead", "gone"))
    story = {"version_id": uid(1), "story_id": uid(8), "path": "_news/a.md", "url_id": uid(0)}
    tables["coverage.url_uses"] = [
        story | {"pointer": "/related/0/webUrl"},
        story | {"pointer": "/webUrl", "raw": "a"},
        story | {"pointer": "/webUrl", "raw": "b"},
        {"version_id": uid(2), "pointer": "/webUrl", "path": "_people/b.md", "url_id": uid(0)},
    ]
    tables["coverage.stories"] = [{"story_id": uid(8), "title": "A story"}]
    assert mart("reports.dead_links", tables, "path", "pointer", "raw", "story_title") == [
        {"path": "_news/a.md", "pointer": "/related/0/webUrl", "raw": "", "story_title": "A story"},
        {"path": "_news/a.md", "pointer": "/webUrl", "raw": "a", "story_title": "A story"},
        {"path": "_news/a.md", "pointer": "/webUrl", "raw": "b", "story_title": "A story"},
        {"path": "_people/b.md", "pointer": "/webUrl", "raw": "", "story_title": None},
    ]


def test_a_dead_link_that_stands_nowhere_any_more_is_not_shown(mart: Mart) -> None:
    assert mart("reports.dead_links", links(("dead", "gone")) | {"coverage.url_uses": []}) == []


# link_health_by_outlet


def test_link_health_counts_each_link_once_by_its_last_judgement(mart: Mart) -> None:
    """A link that nothing can be said of is unjudged; one that cannot be asked is no link of the domain."""
    last = ["alive", "moved", "gone", "soft_404", "server_error", "unreachable", "blocked", "insecure", None]
    urls = [{"url_id": uid(number), "registrable_domain": "a.example"} for number in range(len(last))]
    tables: dict[str, list[Row]] = {
        "coverage.urls": [*urls, {"url_id": uid(99), "registrable_domain": "", "problem": "backslash"}],
        "links.states": [
            *({"url_id": uid(number), "last_verdict": verdict} for number, verdict in enumerate(last)),
            {"url_id": uid(99)},
        ],
        "coverage.providers": [{"domain": "a.example", "name": "A Post"}, {"domain": "b.example"}],
    }
    assert mart("reports.link_health_by_outlet", tables) == [
        {
            "domain": "a.example",
            "outlet": "A Post",
            "links": 9,
            "alive": 2,
            "broken": 4,
            "unjudged": 3,
            "broken_share": pytest.approx(4 / 6),
        }
    ]


def test_a_domain_without_judgement_or_provider_has_no_share_and_no_name(mart: Mart) -> None:
    tables: dict[str, list[Row]] = {
        "coverage.urls": [{"url_id": uid(1), "registrable_domain": "c.example"}],
        "links.states": [{"url_id": uid(1)}],
        "coverage.providers": [],
    }
    columns = ("domain", "outlet", "unjudged", "broken_share")
    assert mart("reports.link_health_by_outlet", tables, *columns) == [
        {"domain": "c.example", "outlet": None, "unjudged": 1, "broken_share": None}
    ]


# articles_in_several_stories


def test_articles_in_several_stories_are_shown_with_their_stories(mart: Mart) -> None:
    """Of those in one story, none is; an article listed twice in one story stands in one."""
    tables: dict[str, list[Row]] = {
        "coverage.articles": [
            {"article_id": uid(1), "title": "Shared", "story_count": 2, "mention_count": 2, "outlet_id": uid(7)},
            {"article_id": uid(2), "title": "Twice in one", "story_count": 1, "mention_count": 2},
        ],
        "coverage.story_articles": [
            {"story_id": uid(11), "article_id": uid(1), "role": "related"},
            {"story_id": uid(12), "article_id": uid(1), "role": "main"},
            {"story_id": uid(12), "article_id": uid(2), "role": "related"},
        ],
        "coverage.stories": [
            {"story_id": uid(11), "path": "_news/b.md"},
            {"story_id": uid(12), "path": "_news/a.md"},
        ],
        "coverage.outlets": [
            {"outlet_id": uid(7), "name": "A Post", "domain": "a.example"},
            {"outlet_id": uid(8), "name": "Post A", "domain": "a.example"},
        ],
    }
    assert mart("reports.articles_in_several_stories", tables, "title", "outlet", "story_count", "leads", "paths") == [
        {"title": "Shared", "outlet": "A Post", "story_count": 2, "leads": 1, "paths": ["_news/a.md", "_news/b.md"]}
    ]


# coverage_lag


def story(number: int, *hours: float, topics: tuple[int, ...] = (), precision: str = "second") -> dict[str, list[Row]]:
    """A story and its related items, each so many hours after the main item."""
    mentions = [{"story_id": uid(number), "role": "main", "published_at": DAY, "published_precision": "second"}]
    for hour in hours:
        when = {"published_at": DAY + timedelta(hours=hour), "published_precision": precision}
        mentions.append({"story_id": uid(number), "role": "related"} | when)
    filed = [{"story_id": uid(number), "topic_id": uid(topic)} for topic in topics]
    return {"coverage.mentions": mentions, "coverage.story_topics": filed}  # type: ignore[dict-item]


def stories(*parts: dict[str, list[Row]]) -> dict[str, list[Row]]:
    names: list[Row] = [{"topic_id": uid(number), "name": name} for number, name in ((51, "Grid"), (52, "Wave Power"))]
    tables = {name: [row for part in parts for row in part[name]] for name in parts[0]}
    return tables | {"coverage.topics": names}


def test_coverage_lag_is_told_by_topic_and_for_stories_without_one(mart: Mart) -> None:
    """A story of two topics counts in both, once each."""
    tables = stories(story(1, -2, 4, topics=(51, 52)), story(2, 6, 8, topics=(51,)), story(3, 1))
    columns = ("topic", "stories", "related_items", "median_lag_hours", "share_before")
    assert mart("reports.coverage_lag", tables, *columns) == [
        {"topic": "Grid", "stories": 2, "related_items": 4, "median_lag_hours": 5.0, "share_before": 0.25},
        {"topic": "Wave Power", "stories": 1, "related_items": 2, "median_lag_hours": 1.0, "share_before": 0.5},
        {"topic": None, "stories": 1, "related_items": 1, "median_lag_hours": 1.0, "share_before": 0.0},
    ]


@pytest.mark.parametrize(("precision", "counts"), [("second", 1), ("naive", 1), ("day", 0), ("midnight", 0)])
def test_a_date_alone_says_nothing_about_hours(mart: Mart, precision: str, counts: int) -> None:
    rows = mart("reports.coverage_lag", stories(story(1, 5, topics=(51,), precision=precision)))
    assert len(rows) == counts


# changed_in_last_refresh


def seen(day: int, status: str, path: str = "_news/a.md", **more: object) -> Row:
    """A row of the log, of the refresh of that day."""
    return {
        "source": "tide",
        "path": path,
        "status": status,
        "seen_at": DAY + timedelta(days=day),
        "refresh_id": f"r{day}",
    } | more


def meaning(title: str, heat: int, related: int) -> Row:
    return {"item": {"title": title, "heat": heat}, "related": [{"title": "x"}] * related + [None]}


def changed(mart: Mart, *rows: Row) -> list[dict[str, object]]:
    """What the refresh of day 2 found."""
    return mart(
        "reports.changed_in_last_refresh", {"log.documents": list(rows), "this.refresh": [{"refresh_id": "r2"}]}
    )


def test_a_changed_file_is_shown_with_its_heat_and_related_items_before_and_now(mart: Mart) -> None:
    """Against the meaning just before, and only what the last refresh itself saw."""
    rows = changed(
        mart,
        seen(0, "accepted", **meaning("First", 10, 0)),
        seen(1, "accepted", **meaning("Second", 20, 1)),
        seen(2, "accepted", **meaning("Third", 30, 3)),
        seen(1, "accepted", "_news/unchanged.md", **meaning("Other", 5, 5)),
    )
    assert rows == [
        {
            "source": "tide",
            "path": "_news/a.md",
            "change": "changed",
            "title": "Third",
            "heat_before": 20,
            "heat_now": 30,
            "related_before": 1,
            "related_now": 3,
            "seen_at": DAY + timedelta(days=2),
        }
    ]


@pytest.mark.parametrize(
    ("history", "change"),
    [
        (["accepted"], "added"),
        (["rejected"], "rejected"),
        (["skipped"], "skipped"),
        (["accepted", "accepted"], "changed"),
        (["accepted", "removed"], "removed"),
        (["accepted", "removed", "accepted"], "restored"),
        (["accepted", "rejected"], "rejected"),
        (["rejected", "accepted"], "changed"),
        (["accepted", "skipped"], "skipped"),
    ],
)
def test_each_change_has_its_name(mart: Mart, history: list[str], change: str) -> None:
    rows = changed(mart, *(seen(3 - len(history) + day, status) for day, status in enumerate(history)))
    assert [row["change"] for row in rows] == [change]


def test_a_file_that_says_nothing_now_is_shown_under_its_last_known_title(mart: Mart) -> None:
    """Also when it had turned bad before."""
    rows = changed(mart, seen(0, "accepted", **meaning("Known", 10, 0)), seen(1, "rejected"), seen(2, "removed"))
    assert [(row["title"], row["change"]) for row in rows] == [("Known", "removed")]

"""The marts that answer common questions: each with a case that shows and one that does not."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.lake.relations import relation
from pipeline.links.vocabulary import VERDICTS
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


def test_every_verdict_is_in_a_group(tmp_path: Path) -> None:
    """What no group has, no mart would count."""
    with hand_made({}, tmp_path) as session:
        session.make(relation("staging.verdict_groups"))
        assert {verdict for (verdict,) in session.run("select verdict from staging.verdict_groups")} == set(VERDICTS)


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


def test_an_article_that_nobody_is_named_for_is_shown_without_an_outlet(mart: Mart) -> None:
    tables: dict[str, list[Row]] = {
        "coverage.articles": [{"article_id": uid(1), "story_count": 2}],
        "coverage.story_articles": [
            {"story_id": uid(story), "article_id": uid(1), "role": "main"} for story in (11, 12)
        ],
        "coverage.stories": [{"story_id": uid(11), "path": "a.md"}, {"story_id": uid(12), "path": "a.md"}],
        "coverage.outlets": [],
    }
    assert mart("reports.articles_in_several_stories", tables, "title", "outlet", "leads", "paths") == [
        {"title": None, "outlet": None, "leads": 2, "paths": ["a.md", "a.md"]}
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


def test_coverage_lag_tells_how_the_lags_are_spread_before_and_after(mart: Mart) -> None:
    [row] = mart("reports.coverage_lag", stories(story(1, *range(-20, 21), topics=(51,))))
    assert {name: row[name] for name in row if name.endswith("hours")} == {
        "least_lag_hours": -20.0,
        "p10_lag_hours": -16.0,
        "p25_lag_hours": -10.0,
        "median_lag_hours": 0.0,
        "p75_lag_hours": 10.0,
        "p90_lag_hours": 16.0,
        "most_lag_hours": 20.0,
    }
    assert row["share_before"] == pytest.approx(20 / 41)


def test_a_story_without_related_coverage_has_no_lag(mart: Mart) -> None:
    assert mart("reports.coverage_lag", stories(story(1, topics=(51,)))) == []


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
    refresh = {"refresh_id": "r2", "volatile_pointers": ["/secured"]}
    return mart("reports.changed_in_last_refresh", {"log.documents": list(rows), "this.refresh": [refresh]})


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
            "changed_parts": ["title", "heat", "related"],
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


ITEM = {
    "title": "A",
    "excerpt": "e",
    "webUrl": "https://a.example/",
    "quality": 5,
    "topics": ["Grid"],
    "type": "article",
}


@pytest.mark.parametrize(
    ("before", "now", "parts"),
    [
        ({}, {"title": "B"}, ["title"]),
        ({}, {"excerpt": None}, ["excerpt"]),
        ({}, {"publishedDateTime": DAY}, ["date"]),
        ({}, {"webUrl": "https://b.example/"}, ["url"]),
        ({"quality": None}, {"quality": 0}, ["quality"]),
        ({}, {"topics": []}, ["topics"]),
        ({}, {"provider": {"name": "A Post"}}, ["provider"]),
        ({}, {"images": [{"url": "/a.png"}]}, ["images"]),
        ({}, {"type": "video", "heat": 3}, ["heat", "other"]),
    ],
)
def test_a_change_says_which_parts_of_the_meaning_are_others(
    mart: Mart, before: Row, now: Row, parts: list[str]
) -> None:
    rows = changed(mart, seen(0, "accepted", item=ITEM | before), seen(2, "accepted", item=ITEM | before | now))
    assert [row["changed_parts"] for row in rows] == [parts]


def test_what_is_no_part_of_the_meaning_is_not_told_as_changed(mart: Mart) -> None:
    """A volatile key is another in every version; a body and a key without a column count."""
    secret, note = {"pointer": "/secured", "value": "1"}, {"pointer": "/note", "value": "1"}
    rows = changed(
        mart,
        seen(0, "accepted", "_news/a.md", item=ITEM, body="x", leftovers=[note, secret]),
        seen(2, "accepted", "_news/a.md", item=ITEM, body="y", leftovers=[note, secret | {"value": "2"}]),
        seen(0, "accepted", "_news/b.md", item=ITEM, leftovers=[note, secret]),
        seen(2, "accepted", "_news/b.md", item=ITEM, leftovers=[note | {"value": "2"}, secret]),
    )
    assert [row["changed_parts"] for row in rows] == [["body"], ["other"]]


@pytest.mark.parametrize("history", [["accepted"], ["rejected", "accepted"], ["accepted", "removed"]])
def test_without_two_accepted_meanings_no_parts_are_compared(mart: Mart, history: list[str]) -> None:
    rows = changed(mart, *(seen(3 - len(history) + day, status, item=ITEM) for day, status in enumerate(history)))
    assert [row["changed_parts"] for row in rows] == [[]]


# leaders_and_followers


def told(*stories: tuple[str | None, ...]) -> dict[str, list[Row]]:
    """Stories, each as the domains of its items, the main one first. a.example goes by two names."""
    domains = ["a.example", "b.example", "c.example"]
    outlets = [{"outlet_id": uid(number), "domain": domain} for number, domain in enumerate(domains)]
    return {
        "coverage.mentions": [
            {
                "story_id": uid(100 + number),
                "role": "related" if position else "main",
                "position": position,
                "outlet_id": None if domain is None else uid(9 if domain == "a" and position else "abc".index(domain)),
            }
            for number, story in enumerate(stories)
            for position, domain in enumerate(story)
        ],
        "coverage.outlets": [*outlets, {"outlet_id": uid(9), "domain": "a.example"}],
        "coverage.providers": [{"domain": domain, "name": domain[0].upper()} for domain in domains],
    }


def test_an_outlet_leads_its_own_stories_and_joins_those_of_others(mart: Mart) -> None:
    """A story counts once for a follower, however many items it adds, and nobody follows itself, under no name."""
    tables = told(("a", "b", "b", "c"), ("a", "b"), ("a", "a"), ("a",), ("b", "a"))
    assert mart("reports.leaders_and_followers", tables) == [
        {
            "domain": "a.example",
            "outlet": "A",
            "stories_led": 4,
            "stories_followed_by_others": 2,
            "stories_joined": 1,
            "lead_share": 0.8,
            "follower_count": 2,
            "leader_count": 1,
            "followed_by": [{"domain": "b.example", "stories": 2}, {"domain": "c.example", "stories": 1}],
            "follows": [{"domain": "b.example", "stories": 1}],
        },
        {
            "domain": "b.example",
            "outlet": "B",
            "stories_led": 1,
            "stories_followed_by_others": 1,
            "stories_joined": 2,
            "lead_share": pytest.approx(1 / 3),
            "follower_count": 1,
            "leader_count": 1,
            "followed_by": [{"domain": "a.example", "stories": 1}],
            "follows": [{"domain": "a.example", "stories": 2}],
        },
        {
            "domain": "c.example",
            "outlet": "C",
            "stories_led": 0,
            "stories_followed_by_others": 0,
            "stories_joined": 1,
            "lead_share": 0.0,
            "follower_count": 0,
            "leader_count": 1,
            "followed_by": [],
            "follows": [{"domain": "a.example", "stories": 1}],
        },
    ]


def test_a_story_that_nobody_is_named_for_is_neither_led_nor_followed(mart: Mart) -> None:
    columns = ("stories_led", "stories_joined", "lead_share", "follower_count")
    [row, *_] = mart("reports.leaders_and_followers", told((None, "a"), ("b", None)), *columns)
    assert row == {"stories_led": 0, "stories_joined": 0, "lead_share": None, "follower_count": 0}


# clusters_of_stories


def listed(*stories: tuple[int, ...], clusters: Sequence[int]) -> dict[str, list[Row]]:
    """Stories as the articles they list, the main one first, and the cluster that each is in."""
    sizes = Counter(clusters)
    return {
        "coverage.stories": [
            {"story_id": uid(number), "path": f"_news/{number}.md", "title": f"Story {number}"}
            | {"lead_article_id": uid(story[0]), "heat": 10 * number, "published_at": DAY + timedelta(number)}
            for number, story in enumerate(stories, 1)
        ],
        "coverage.story_articles": [
            {"story_id": uid(number), "article_id": uid(article), "role": "related" if rank else "main", "rank": rank}
            for number, story in enumerate(stories, 1)
            for rank, article in enumerate(story)
        ],
        "coverage.story_clusters": [
            {"story_id": uid(number), "cluster_id": uid(cluster), "story_count": sizes[cluster]}
            | {"shared_article_count": 7}
            for number, cluster in enumerate(clusters, 1)
        ],
    }


def test_a_cluster_tells_its_stories_and_which_of_them_list_each_other(mart: Mart) -> None:
    """1 and 2 list each other, 3 lists 1, which does not list it; 4 stands alone and lists itself in vain."""
    tables = listed((11, 12), (12, 11, 50), (13, 11, 50), (14, 60), clusters=(1, 1, 1, 4))
    assert mart("reports.clusters_of_stories", tables) == [
        {
            "cluster_id": uid(1),
            "hottest_title": "Story 3",
            "story_count": 3,
            "shared_article_count": 7,
            "lead_listings": 3,
            "mutual_count": 1,
            "heat": 30,
            "first_published_at": DAY + timedelta(1),
            "last_published_at": DAY + timedelta(3),
            "paths": ["_news/1.md", "_news/2.md", "_news/3.md"],
            "mutual_listings": [{"path": "_news/1.md", "other_path": "_news/2.md"}],
        }
    ]


def test_two_files_of_one_main_item_are_a_cluster_without_a_mutual_listing(mart: Mart) -> None:
    columns = ("story_count", "lead_listings", "mutual_count", "mutual_listings")
    assert mart("reports.clusters_of_stories", listed((11, 12), (11, 13), clusters=(1, 1)), *columns) == [
        {"story_count": 2, "lead_listings": 0, "mutual_count": 0, "mutual_listings": []}
    ]


def test_stories_that_share_nothing_are_no_cluster(mart: Mart) -> None:
    assert mart("reports.clusters_of_stories", listed((11, 12), (13,), clusters=(1, 2))) == []


# link_rot

TONIGHT = {"refresh_id": "r2", "night": NIGHT, "started_at": DAY + timedelta(hours=2)}


def standing(*uses: tuple[int, str, int | None, str | None]) -> dict[str, list[Row]]:
    """Places of links: URL, role, age in days of the item there, and the link's last verdict."""
    return {
        "this.refresh": [TONIGHT],
        "coverage.urls": [{"url_id": uid(url), "registrable_domain": "a.example"} for url in {use[0] for use in uses}],
        "links.states": [
            {"url_id": uid(url), "last_verdict": verdict} for url, verdict in {use[0]: use[3] for use in uses}.items()
        ],
        "coverage.url_uses": [
            {"url_id": uid(url), "role": role, "version_id": uid(500), "pointer": f"/related/{place}/x"}
            | {"story_id": uid(600), "mention_pointer": f"/related/{place}"}
            for place, (url, role, _, _) in enumerate(uses)
        ],
        "coverage.mentions": [
            {"version_id": uid(500), "pointer": f"/related/{place}"}
            | {"published_at": None if days is None else DAY - timedelta(days)}
            for place, (_, _, days, _) in enumerate(uses)
        ],
        "coverage.stories": [{"story_id": uid(600)}],
        "coverage.providers": [{"domain": "a.example", "name": "A Post"}],
    }


def test_link_rot_is_told_by_outlet_role_and_age(mart: Mart) -> None:
    tables = standing(
        (1, "web", 5, "alive"),
        (2, "web", 6, "gone"),
        (3, "web", 7, "blocked"),
        (4, "image", 8, "soft_404"),
        (5, "web", 400, None),
    )
    assert mart("reports.link_rot", tables) == [
        {"domain": "a.example", "outlet": "A Post", "role": role, "age": age, "age_order": order}
        | {"links": links, "alive": alive, "broken": broken, "unjudged": unjudged, "broken_share": share}
        for role, age, order, links, alive, broken, unjudged, share in [
            ("image", "under a month", 1, 1, 0, 1, 0, 1.0),
            ("web", "under a month", 1, 3, 1, 1, 1, 0.5),
            ("web", "under two years", 4, 1, 0, 0, 1, None),
        ]
    ]


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-1, "under a month"),
        (29, "under a month"),
        (30, "under half a year"),
        (183, "under a year"),
        (365, "under two years"),
        (731, "under five years"),
        (1826, "five years or more"),
        (None, "unknown"),
    ],
)
def test_a_link_is_as_old_as_the_item_that_it_belongs_to(mart: Mart, days: int | None, age: str) -> None:
    assert mart("reports.link_rot", standing((1, "web", days, "alive")), "age") == [{"age": age}]


def test_a_link_in_several_places_counts_once_in_a_role_with_its_oldest_age(mart: Mart) -> None:
    tables = standing((1, "web", 5, "gone"), (1, "web", 400, "gone"), (1, "original", 5, "gone"))
    assert mart("reports.link_rot", tables, "role", "age", "links") == [
        {"role": "original", "age": "under a month", "links": 1},
        {"role": "web", "age": "under two years", "links": 1},
    ]


def test_an_item_without_a_time_has_that_of_its_story_and_no_story_no_age(mart: Mart) -> None:
    tables = standing((1, "web", None, "gone"))
    tables["coverage.stories"] = [{"story_id": uid(600), "published_at": DAY - timedelta(40)}]
    assert mart("reports.link_rot", tables, "age") == [{"age": "under half a year"}]
    tables["coverage.url_uses"] = [{"url_id": uid(1), "role": "body", "version_id": uid(9)}]
    assert mart("reports.link_rot", tables, "age") == [{"age": "unknown"}]


def test_a_url_that_cannot_be_asked_does_not_rot(mart: Mart) -> None:
    tables = standing((1, "web", 5, None))
    tables["coverage.urls"] = [{"url_id": uid(1), "problem": "backslash"}]
    assert mart("reports.link_rot", tables) == []


# links_changed_last_night


def nights(*verdicts: str | None) -> dict[str, list[Row]]:
    """One link, judged so on nights a week apart, the last of them tonight; None: not asked."""
    asked = [
        {"url_id": uid(1), "night": NIGHT - timedelta(7 * before), "verdict": verdict}
        for before, verdict in enumerate(reversed(verdicts))
        if verdict
    ]
    return {
        "this.refresh": [TONIGHT],
        "links.verdicts": asked,
        "links.states": [{"url_id": uid(1), "state": "failing", "strikes": 1}],
        "coverage.urls": [{"url_id": uid(1), "fetch_url": "https://a.example/x", "registrable_domain": "a.example"}],
        "coverage.url_uses": [
            {"url_id": uid(1), "source": "tide", "path": "_news/b.md", "raw": "1"},
            {"url_id": uid(1), "source": "tide", "path": "_news/a.md", "raw": "2"},
        ],
    }


@pytest.mark.parametrize(
    ("verdicts", "change"),
    [
        (("alive", "gone"), "broke"),
        (("moved", "soft_404"), "broke"),
        (("blocked", "unreachable"), "broke"),
        (("alive", "postponed", "server_error"), "broke"),
        (("gone",), "found_broken"),
        (("gone", "alive", "gone"), "broke"),
        (("gone", "alive"), "revived"),
        (("server_error", "moved"), "revived"),
        (("alive", "moved"), "moved"),
        (("alive", "blocked"), "barred"),
        (("moved", "insecure"), "barred"),
        (("alive", "alive"), None),
        (("moved", "moved"), None),
        (("moved", "alive"), None),
        (("gone", "soft_404"), None),
        (("gone", "blocked"), None),
        (("blocked", "alive"), None),
        (("alive",), None),
        (("moved",), None),
        (("alive", "postponed"), None),
        (("alive", "gone", None), None),
    ],
)
def test_each_turn_of_a_link_last_night_has_its_name(
    mart: Mart, verdicts: tuple[str | None, ...], change: str | None
) -> None:
    rows = mart("reports.links_changed_last_night", nights(*verdicts), "change")
    assert rows == ([{"change": change}] if change else [])


def test_a_link_that_broke_says_since_when_and_where_it_stands(mart: Mart) -> None:
    columns = ("verdict", "verdict_before", "night", "night_before", "places", "path", "domain", "state", "strikes")
    assert mart("reports.links_changed_last_night", nights("alive", None, "gone"), *columns) == [
        {
            "verdict": "gone",
            "verdict_before": "alive",
            "night": NIGHT,
            "night_before": NIGHT - timedelta(14),
            "places": 2,
            "path": "_news/a.md",
            "domain": "a.example",
            "state": "failing",
            "strikes": 1,
        }
    ]


@pytest.mark.parametrize(
    "verdicts", [("alive", "gone", "gone", "gone"), ("gone", "gone", "blocked", "gone"), ("gone",)]
)
def test_a_link_that_died_last_night_is_told_of_though_it_was_broken_before(
    mart: Mart, verdicts: tuple[str, ...]
) -> None:
    tables = nights(*verdicts)
    dead = {"url_id": uid(1), "state": "dead", "strikes": 3}
    tables["links.states"] = [dead | {"died": NIGHT}]
    assert mart("reports.links_changed_last_night", tables, "change") == [{"change": "died"}]
    tables["links.states"] = [dead | {"died": NIGHT - timedelta(7)}]
    assert {"change": "died"} not in mart("reports.links_changed_last_night", tables, "change")


def test_a_link_that_stands_nowhere_any_more_is_no_news(mart: Mart) -> None:
    assert mart("reports.links_changed_last_night", nights("alive", "gone") | {"coverage.url_uses": []}) == []


# name_conflicts


def called(*mentions: Row, outlets: Sequence[Row] = (), **article: object) -> dict[str, list[Row]]:
    """One article and what each of its mentions says of it, in a file each."""
    told = {"article_id": uid(1), "identity_url": "https://a.example/x", "mention_count": len(mentions)}
    names: dict[str, int] = Counter(str(row["domain"]) for row in outlets)
    return {
        "coverage.articles": [told | article],
        "coverage.mentions": [
            {"mention_id": uid(n), "article_id": uid(1), "story_id": uid(n)} | dict(said)
            for n, said in enumerate(mentions, 1)
        ],
        "coverage.stories": [
            {"story_id": uid(n), "source": "tide", "path": f"_news/{n}.md"} for n, _ in enumerate(mentions, 1)
        ],
        "coverage.outlets": list(outlets),
        "coverage.providers": [{"domain": domain, "name_count": count} for domain, count in names.items()],
    }


def test_an_article_of_two_titles_is_shown_with_both(mart: Mart) -> None:
    """With how often each is said and where first; no title is none."""
    said: list[Row] = [{"clean_title": title} for title in ("New", "Old", "New", None, "")]
    assert mart("reports.name_conflicts", called(*said, title="New")) == [
        {"kind": "article_title", "subject": "https://a.example/x", "value": value, "article_id": uid(1)}
        | {"is_shown": shown, "mentions": times, "value_count": 2, "source": "tide", "path": path}
        for value, shown, times, path in [("New", True, 2, "_news/1.md"), ("Old", False, 1, "_news/2.md")]
    ]


def test_an_article_that_all_call_the_same_is_no_conflict(mart: Mart) -> None:
    """However the title was written: it is read with its entities undone."""
    when = {"published_at": DAY, "published_precision": "second"}
    said = [{"title": title, "clean_title": "A & B"} | when for title in ("A &amp; B", " A & B")]
    assert mart("reports.name_conflicts", called(*said)) == []


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ([(5, "second"), (6, "second")], ["2026-03-09 05:00:00", "2026-03-09 06:00:00"]),
        ([(5, "second"), (5, "naive")], []),
        ([(5, "second"), (0, "day")], []),
        ([(5, "second"), (0, "midnight")], []),
        ([(5, "second"), (24, "day")], ["2026-03-09 05:00:00", "2026-03-10"]),
        ([(0, "day"), (24, "day")], ["2026-03-09", "2026-03-10"]),
        ([(5, "second"), (None, None)], []),
    ],
)
def test_a_date_alone_contradicts_another_day_only(
    mart: Mart, said: list[tuple[int | None, str | None]], values: list[str]
) -> None:
    mentions: list[Row] = [
        {"published_at": None if hours is None else DAY + timedelta(hours=hours), "published_precision": precision}
        for hours, precision in said
    ]
    article = {"published_at": mentions[0]["published_at"], "published_precision": said[0][1]}
    rows = mart("reports.name_conflicts", called(*mentions, **article), "kind", "value", "is_shown")
    assert rows == [{"kind": "article_date", "value": value, "is_shown": value == values[0]} for value in values]


def test_a_domain_of_two_names_is_a_conflict_and_one_of_one_name_is_none(mart: Mart) -> None:
    outlets: list[Row] = [
        {"outlet_id": uid(1), "domain": "a.example", "name": "A Post", "is_preferred": True},
        {"outlet_id": uid(2), "domain": "a.example", "name": "Cookies", "is_preferred": False},
        {"outlet_id": uid(3), "domain": "b.example", "name": "B", "is_preferred": True},
    ]
    said: list[Row] = [{"outlet_id": uid(outlet)} for outlet in (1, 1, 2)]
    columns = ("kind", "subject", "value", "is_shown", "mentions", "article_id", "path")
    tables = called(*said, outlets=outlets, outlet_id=uid(1))
    assert mart("reports.name_conflicts", tables, *columns) == [
        {"kind": "provider_name", "subject": "a.example", "value": name, "is_shown": shown}
        | {"mentions": mentions, "article_id": None, "path": path}
        for name, shown, mentions, path in [("A Post", True, 2, "_news/1.md"), ("Cookies", False, 1, "_news/3.md")]
    ]


def test_an_article_of_two_providers_is_a_conflict(mart: Mart) -> None:
    """And that each domain has one name is none; neither is a mention without a provider."""
    outlets: list[Row] = [{"outlet_id": uid(n), "domain": f"{n}.example", "name": f"{n}"} for n in (1, 2)]
    tables = called({"outlet_id": uid(1)}, {"outlet_id": uid(2)}, {}, outlets=outlets, outlet_id=uid(2))
    assert mart("reports.name_conflicts", tables, "kind", "value", "is_shown", "value_count") == [
        {"kind": "article_provider", "value": "1.example", "is_shown": False, "value_count": 2},
        {"kind": "article_provider", "value": "2.example", "is_shown": True, "value_count": 2},
    ]


# topic_weeks

MONDAY = date(2026, 3, 9)
POWER, STREAM, KITES, LONE = 51, 52, 53, 54


def weekly(
    *filed: tuple[int | None, tuple[int, ...]], parents: Mapping[int, int] | None = None
) -> dict[str, list[Row]]:
    """Stories as the days after MONDAY they are of, and their topics; Kites are below Stream, which is below Power."""
    above = {STREAM: POWER, KITES: STREAM} if parents is None else parents
    return {
        "this.refresh": [TONIGHT | {"started_at": DAY + timedelta(100)}],
        "coverage.topics": [
            {"topic_id": uid(topic), "name": name, "source": "tide"}
            | {"parent_topic_id": uid(above[topic]) if topic in above else None}
            for topic, name in ((POWER, "Power"), (STREAM, "Stream"), (KITES, "Kites"), (LONE, "Lone"))
        ],
        "coverage.stories": [
            {"story_id": uid(n), "source": "tide"} | {"published_at": None if day is None else DAY + timedelta(day)}
            for n, (day, _) in enumerate(filed)
        ],
        "coverage.story_topics": [
            {"story_id": uid(n), "topic_id": uid(topic)} for n, (_, topics) in enumerate(filed) for topic in topics
        ],
    }


def volumes(mart: Mart, tables: dict[str, list[Row]]) -> dict[object, list[object]]:
    """The stories of each week, by topic."""
    found: dict[object, list[object]] = {}
    for row in mart("reports.topic_weeks", tables, "topic", "week", "stories"):
        found.setdefault(row["topic"], []).append(row["stories"])
    return found


def test_a_story_counts_once_in_every_topic_above_its_own(mart: Mart) -> None:
    """Also where it is filed under two of them, or under the topic and one below it."""
    tables = weekly((0, (KITES,)), (1, (KITES, STREAM)), (2, (POWER, STREAM)), (3, (LONE,)))
    columns = ("topic", "week", "stories", "stories_filed")
    assert mart("reports.topic_weeks", tables, *columns) == [
        {"topic": "Power", "week": MONDAY, "stories": 3, "stories_filed": 1},
        {"topic": "Stream", "week": MONDAY, "stories": 3, "stories_filed": 2},
        {"topic": "Kites", "week": MONDAY, "stories": 2, "stories_filed": 2},
        {"topic": "Lone", "week": MONDAY, "stories": 1, "stories_filed": 1},
    ]


def test_weeks_without_a_story_are_zero_and_each_is_held_against_the_one_before(mart: Mart) -> None:
    """Weeks run over the whole source: Lone has none in the first. Sunday ends a week."""
    tables = weekly((0, (POWER,)), (6, (POWER,)), (21, (POWER, LONE)))
    columns = ("topic", "week", "stories", "stories_before", "change")
    weeks = [MONDAY + timedelta(7 * week) for week in range(4)]
    assert mart("reports.topic_weeks", tables, *columns) == [
        {"topic": topic, "week": week, "stories": stories, "stories_before": before, "change": change}
        for topic, told in {
            "Power": [(2, None, None), (0, 2, -2), (0, 0, 0), (1, 0, 1)],
            "Lone": [(0, None, None), (0, 0, 0), (0, 0, 0), (1, 0, 1)],
        }.items()
        for week, (stories, before, change) in zip(weeks, told, strict=True)
    ]


def test_a_topic_no_story_is_filed_under_or_below_is_not_shown(mart: Mart) -> None:
    assert volumes(mart, weekly((0, (STREAM,)), (0, ()))) == {"Power": [1], "Stream": [1]}


def test_topics_that_are_each_other_s_parents_are_counted_all_the_same(mart: Mart) -> None:
    tables = weekly((0, (STREAM,)), parents={STREAM: POWER, POWER: STREAM, LONE: LONE})
    assert volumes(mart, tables) == {"Power": [1], "Stream": [1]}


def test_stories_of_no_week_or_of_the_future_are_left_out(mart: Mart) -> None:
    assert volumes(mart, weekly((0, (LONE,)), (None, (LONE,)), (5000, (LONE,)))) == {"Lone": [1]}


def test_a_date_of_another_age_does_not_make_a_thousand_weeks(mart: Mart) -> None:
    found = volumes(mart, weekly((0, (LONE,)), (-20_000, (LONE,)), (-7 * 519, (LONE,))))
    assert [(len(weeks), weeks[0], weeks[-1]) for weeks in found.values()] == [(520, 1, 1)]


# lead_rule_violations


@pytest.mark.parametrize(
    ("heat", "quality", "related", "violation", "expected"),
    [
        (50, 50, (), None, None),
        (70, 50, (50, 40), None, None),
        (60, 50, (None,), None, None),
        (-1, 50, (60, 40), None, None),
        (None, 50, (40,), None, None),
        (60, None, (40,), None, None),
        (60, 50, (), "heat_differs", 50),
        (50, 50, (40,), "heat_differs", 60),
        (70, 50, (60, 40), "leads_though_outranked", -1),
        (-1, 50, (50,), "yields_though_not_outranked", 60),
        (-1, 50, (), "yields_though_not_outranked", 50),
    ],
)
def test_heat_follows_from_quality_and_related_items(
    mart: Mart,
    heat: int | None,
    quality: int | None,
    related: tuple[int | None, ...],
    violation: str | None,
    expected: int | None,
) -> None:
    tables: dict[str, list[Row]] = {
        "coverage.stories": [
            {"story_id": uid(1), "heat": heat, "quality": quality, "related_count": len(related)},
        ],
        "coverage.mentions": [
            {"story_id": uid(1), "role": "main", "quality": quality},
            *({"story_id": uid(1), "role": "related", "quality": value} for value in related),
        ],
    }
    rows = mart("reports.lead_rule_violations", tables, "violation", "expected_heat")
    assert rows == ([{"violation": violation, "expected_heat": expected}] if violation else [])


def test_a_story_that_should_yield_says_to_what(mart: Mart) -> None:
    """Of two that outrank it alike, to the first in its list."""
    related = [(1, "Near", 55), (2, "First", 60), (3, "Second", 60)]
    tables: dict[str, list[Row]] = {
        "coverage.stories": [{"story_id": uid(1), "heat": 80, "quality": 50, "related_count": 3}],
        "coverage.mentions": [
            {"story_id": uid(1), "role": "related", "position": position, "clean_title": title, "quality": quality}
            for position, title, quality in related
        ],
    }
    assert mart("reports.lead_rule_violations", tables, "top_related_quality", "top_related_title") == [
        {"top_related_quality": 60, "top_related_title": "First"}
    ]

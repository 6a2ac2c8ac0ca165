"""Which stories hang together, beside a search by hand: in chains, around one article, and in any graph."""

import random
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables import hand_made, uid, yielded

Listing = tuple[int, int]
"""A story and an article that stands in it."""


def clusters(listings: Iterable[Listing], lonely: Iterable[int] = ()) -> dict[int, tuple[int, int, int]]:
    """Cluster, stories in it and articles that several of them share, by story."""
    listed = list(listings)
    stories = sorted({story for story, _ in listed} | set(lonely))
    tables = {
        "coverage.stories": [{"story_id": uid(story)} for story in stories],
        "coverage.story_articles": [{"story_id": uid(story), "article_id": uid(article)} for story, article in listed],
    }
    with tempfile.TemporaryDirectory() as scratch, hand_made(tables, Path(scratch)) as session:
        rows = yielded(session, "coverage.story_clusters")
    numbers = {uid(story): story for story in stories}
    return {
        numbers[str(row["story_id"])]: (
            numbers[str(row["cluster_id"])],
            int(str(row["story_count"])),
            int(str(row["shared_article_count"])),
        )
        for row in rows
    }


def searched(listings: Iterable[Listing]) -> dict[int, tuple[int, int, int]]:
    """The same, by walking from each story to all that can be reached."""
    articles: dict[int, set[int]] = {}
    stories: dict[int, set[int]] = {}
    for story, article in listings:
        articles.setdefault(story, set()).add(article)
        stories.setdefault(article, set()).add(story)
    found: dict[int, tuple[int, int, int]] = {}
    for start in sorted(articles):
        if start in found:
            continue
        reached, waiting = {start}, [start]
        while waiting:
            near = {other for article in articles[waiting.pop()] for other in stories[article]} - reached
            reached |= near
            waiting.extend(near)
        shared = {article for story in reached for article in articles[story] if len(stories[article]) > 1}
        found.update(dict.fromkeys(reached, (start, len(reached), len(shared))))
    return found


def chain(stories: list[int]) -> list[Listing]:
    """Each story shares one article with the next."""
    links = range(1, len(stories))
    return [(stories[link - 1], link) for link in links] + [(stories[link], link) for link in links]


def test_stories_that_share_no_article_are_alone() -> None:
    assert clusters([(1, 10), (2, 20), (2, 21)], lonely=[3]) == {1: (1, 1, 0), 2: (2, 1, 0), 3: (3, 1, 0)}


def test_a_story_hangs_together_with_whatever_its_neighbours_share() -> None:
    """4 and 7 share nothing, but 9 lists an article of each; the smallest id names the cluster."""
    listings = [(9, 1), (9, 2), (9, 3), (4, 2), (7, 3), (7, 4), (5, 5), (6, 5)]
    assert clusters(listings) == {
        4: (4, 3, 2),
        7: (4, 3, 2),
        9: (4, 3, 2),
        5: (5, 2, 1),
        6: (5, 2, 1),
    }


LENGTH = 10_000


@pytest.mark.parametrize("order", ["rising", "falling", "shuffled", "from both ends"])
def test_a_long_chain_is_one_cluster(order: str) -> None:
    """In few rounds, whichever way the ids run along it: one round a story would outlast the test."""
    stories = list(range(LENGTH))
    if order == "falling":
        stories.reverse()
    elif order == "shuffled":
        random.Random(4).shuffle(stories)
    elif order == "from both ends":
        stories = [number // 2 if number % 2 else LENGTH - 1 - number // 2 for number in stories]
    found = clusters(chain(stories))
    assert found == dict.fromkeys(range(LENGTH), (0, LENGTH, LENGTH - 1))


def test_one_article_in_thousands_of_stories_makes_one_cluster() -> None:
    """Without ever pairing story with story: a hundred million pairs would not fit the session's memory."""
    assert clusters((story, 0) for story in range(LENGTH)) == dict.fromkeys(range(LENGTH), (0, LENGTH, 1))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=60))
def test_any_graph_falls_into_the_clusters_that_a_search_finds(listings: set[Listing]) -> None:
    assert clusters(listings) == searched(listings)


def test_a_large_random_graph_falls_into_the_clusters_that_a_search_finds() -> None:
    dice = random.Random(7)
    listings = {(dice.randrange(6000), dice.randrange(20_000)) for _ in range(14_000)}
    found = clusters(listings)
    assert found == searched(listings)
    assert len({cluster for cluster, *_ in found.values()}) > 500, "the graph must have many clusters"

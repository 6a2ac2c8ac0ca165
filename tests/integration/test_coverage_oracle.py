"""The tables of generated archives against witnesses apart: what their generators say they wrote, and what plain Python
reads in them. One archive has the shape of real ones; the other is made of overlaps, over two nights."""

import ast
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from bench.site import write_site
from pipeline.settings import Executor, Settings, Source
from tests.oracle import overlaps
from tests.oracle.overlaps import Listings, rewrite_some, write_overlaps
from tests.oracle.plain import Reading, read_archive
from tests.tables import Archive

ORACLE = Path(overlaps.__file__).parent
STORIES = 400


@dataclass(frozen=True, slots=True)
class Case:
    """An archive with its tables, what its generator says of it, what plain Python reads in it, and the paths that
    were new or changed on the last night."""

    archive: Archive
    truth: Listings
    reading: Reading
    changed: frozenset[str] = frozenset()

    def night_of(self, path: str) -> int:
        return int(path in self.changed)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    folder = tmp_path_factory.mktemp("generated")
    with pytest.MonkeyPatch.context() as bounds:
        bounds.setattr("pipeline.lake.session.PART_ROWS", 1_000)  # as if they were too many for one aggregate
        return _cases(folder)


def _cases(folder: Path) -> Mapping[str, Case]:
    real = write_site(folder / "real", stories=300, seed=20_260_301)
    archive = _archive(folder, "real")
    archive.refresh()
    assert archive.counts.seen == real.files
    truth = {path: tuple(enumerate(identities)) for path, identities in real.listings.items()}
    cases = {"real": Case(archive, truth, read_archive(folder / "real", "real"))}

    truth = write_overlaps(folder / "overlaps", stories=STORIES, seed=20_260_302)
    archive = _archive(folder, "overlaps")
    archive.refresh()
    truth, changed = rewrite_some(folder / "overlaps", truth, seed=20_260_303)
    archive.refresh()
    return cases | {"overlaps": Case(archive, truth, read_archive(folder / "overlaps", "overlaps"), frozenset(changed))}


@pytest.fixture(params=["real", "overlaps"])
def case(request: pytest.FixtureRequest, cases: Mapping[str, Case]) -> Case:
    return cases[request.param]


def test_every_mention_is_the_one_that_was_written(case: Case) -> None:
    """Row for row on story, position and identity, not in sum."""
    found = case.archive.query(
        "select stories.path, mentions.position, mentions.role, articles.identity_url, articles.is_identified"
        " from coverage.mentions join coverage.stories using (story_id) join coverage.articles using (article_id)"
    )
    read = [
        (mention.path, mention.position, mention.role, mention.identity, mention.is_identified)
        for mention in case.reading.mentions()
    ]
    assert len(found) > 1000
    assert sorted(found) == sorted(read)


def test_two_mentions_are_one_article_just_where_their_writer_meant_one(case: Case) -> None:
    """Whatever the rules of URLs are: one article id for each label, one label for each article id."""
    rows = case.archive.query(
        "select stories.path, mentions.position, mentions.article_id"
        " from coverage.mentions join coverage.stories using (story_id)"
    )
    article_of = {(path, position): article for path, position, article in rows}
    meant = {(path, position): label for path, listed in case.truth.items() for position, label in listed}
    assert article_of.keys() == meant.keys()
    pairs = {(article_of[place], label) for place, label in meant.items()}
    assert len(pairs) == len(set(article_of.values())) == len(set(meant.values()))


def test_each_article_is_told_by_its_best_mention_and_counts_all(case: Case) -> None:
    """Flag, mentions, stories, title, time, quality and outlet."""
    rows = case.archive.query(
        "select identity_url, is_identified, mention_count, story_count, title, published_at, quality, domain, name"
        " from coverage.articles left join coverage.outlets using (outlet_id)"
    )
    found = {identity: (*told, (domain, name) if domain else None) for identity, *told, domain, name in rows}
    assert found == case.reading.articles(case.night_of)


def test_each_article_of_a_story_stands_at_its_first_rank(case: Case) -> None:
    found = case.archive.query(
        "select stories.path, identity_url, story_articles.role, rank, story_articles.quality"
        " from coverage.story_articles join coverage.stories using (story_id)"
        " join coverage.articles using (article_id)"
    )
    assert sorted(found) == sorted(case.reading.story_articles())


def test_each_story_has_its_heat_and_its_related_items(case: Case) -> None:
    """It leads where it has some and none outranks it."""
    found = case.archive.query("select path, heat, related_count, is_lead from coverage.stories order by path")
    assert found == sorted(
        (
            story.path,
            story.heat,
            related := len(story.mentions) - 1,
            related > 0 and (story.heat is None or story.heat >= 0),
        )
        for story in case.reading.stories
    )


def test_outlets_are_counted_by_domain_and_name(case: Case) -> None:
    outlets = case.reading.outlets()
    found = case.archive.query("select domain, name, times_seen, is_preferred from coverage.outlets")
    preferred = {
        domain: min((-times, name) for (other, name), times in outlets.items() if other == domain)[1]
        for domain, _ in outlets
    }
    assert sorted(found) == sorted(
        (domain, name, times, preferred[domain] == name) for (domain, name), times in outlets.items()
    )
    providers = case.archive.query("select domain, preferred_name, name_count, times_seen from coverage.providers")
    assert sorted(providers) == sorted(
        (
            domain,
            name,
            sum(other == domain for other, _ in outlets),
            sum(times for (other, _), times in outlets.items() if other == domain),
        )
        for domain, name in preferred.items()
    )


def test_topics_have_their_stories_in_order_and_their_parents(case: Case) -> None:
    filed = case.archive.query(
        "select path, name, position from coverage.story_topics join coverage.stories using (story_id)"
        " join coverage.topics using (topic_id)"
    )
    assert sorted(filed) == sorted(
        (story.path, name, position) for story in case.reading.stories for name, position in story.topics.items()
    )
    topics = case.archive.query("select name, story_count, parent_name from coverage.topics")
    assert {name: told for name, *told in topics} == {
        name: [stories, parent] for name, (stories, parent) in case.reading.topics().items()
    }


def test_the_overlaps_hold_what_they_are_for(cases: Mapping[str, Case]) -> None:
    """An archive without the hard cases would prove nothing."""
    case = cases["overlaps"]
    stories = {story.path: story.mentions for story in case.reading.stories}
    lead_of = {path: mentions[0].identity for path, mentions in stories.items()}
    listed_by = {path: {mention.identity for mention in mentions[1:]} for path, mentions in stories.items()}
    led = Counter(lead_of.values())
    mutual = sum(
        lead_of[one] in listed_by[other] and lead_of[other] in listed_by[one] for one, other in combinations(stories, 2)
    )
    repeated = sum(len({one.identity for one in mentions}) < len(mentions) for mentions in stories.values())
    itself = sum(lead_of[path] in listed for path, listed in listed_by.items())
    articles = case.reading.articles(case.night_of)
    assert len(stories) > 0.9 * STORIES
    assert sum(paths > 1 for paths in led.values()) > 20, "one URL under several paths"
    assert len(led.keys() & set().union(*listed_by.values())) > 100, "main here, related there"
    assert mutual > 50
    assert repeated > 50
    assert itself > 20
    assert max(count for _, _, count, *_ in articles.values()) > 10
    assert sum(not is_identified for is_identified, *_ in articles.values()) > 20
    assert len(case.changed) > 50


@pytest.mark.parametrize("module", sorted(ORACLE.glob("*.py")), ids=lambda module: module.name)
def test_the_oracle_imports_nothing_of_the_product(module: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {"yaml", *sys.stdlib_module_names}


def _archive(folder: Path, name: str) -> Archive:
    sources = (Source(name=name, path=folder / name),)
    return Archive(Settings(data_dir=folder / f"{name}-data", sources=sources, executor=Executor(kind="serial")))

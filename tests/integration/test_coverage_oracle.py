"""The tables of a generated archive against two oracles: what its generator says it wrote, and what plain Python reads.

Nothing of the product stands in the second one: PyYAML, the standard library, and an identity of URLs just wide enough
for what the generator writes.
"""

import html
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bench.site import SiteTruth, write_site
from pipeline.settings import Executor, Settings, Source
from tests.tables import Archive

Mention = tuple[str, int, str]
"""Path of the story, position in it, identity URL."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, SiteTruth]:
    """An archive of 300 stories, its tables, and the truth."""
    folder = tmp_path_factory.mktemp("generated")
    truth = write_site(folder / "site", stories=300, seed=20_260_301)
    sources = (Source(name="generated", path=folder / "site"),)
    archive = Archive(Settings(data_dir=folder / "data", sources=sources, executor=Executor(kind="serial")))
    archive.refresh()
    return archive, truth


def test_every_mention_is_the_one_that_was_written(generated: tuple[Archive, SiteTruth]) -> None:
    """Row for row, not in sum."""
    archive, truth = generated
    found = _mentions(archive)
    assert found == sorted(truth.triples())
    assert found == sorted(_read(archive.folder))


def test_articles_and_mentions_are_as_many_as_were_written(generated: tuple[Archive, SiteTruth]) -> None:
    archive, truth = generated
    read = list(_read(archive.folder))
    identities = {identity for _, _, identity in read}
    assert archive.counts.seen == truth.files
    assert archive.column("select count(*) from coverage.stories") == [truth.stories]
    assert archive.column("select count(*) from coverage.mentions") == [truth.mentions] == [len(read)]
    assert archive.column("select count(*) from coverage.articles") == [truth.articles] == [len(identities)]
    assert archive.column("select sum(mention_count) from coverage.articles") == [truth.mentions]


def test_an_article_counts_the_stories_it_stands_in(generated: tuple[Archive, SiteTruth]) -> None:
    archive, _ = generated
    stories: dict[str, set[str]] = {}
    for path, _, identity in _read(archive.folder):
        stories.setdefault(identity, set()).add(path)
    counted = sorted((identity, len(paths)) for identity, paths in stories.items())
    assert archive.query("select identity_url, story_count from coverage.articles order by 1") == counted
    assert max(count for _, count in counted) > 1, "the archive must hold what the test is about"


def _mentions(archive: Archive) -> list[Mention]:
    rows = archive.query(
        "select stories.path, mentions.position, articles.identity_url from coverage.mentions"
        " join coverage.stories using (story_id) join coverage.articles using (article_id)"
    )
    return sorted(rows)  # type: ignore[arg-type]


def _read(site: Path) -> Iterator[Mention]:
    for file in (site / "_news").iterdir():
        front = yaml.load(file.read_text("utf-8").split("---\n")[1], yaml.CSafeLoader)
        for position, item in enumerate((front, *front.get("related", ()))):
            yield f"_news/{file.name}", position, _identity(item.get("webUrl") or item["originalUrl"])


def _identity(url: str) -> str:
    """One of the URLs that the generator writes: entities, `http`, `www.`, `utm_…` and the order of the query."""
    parts = urlsplit(html.unescape(url))
    query = "&".join(sorted(part for part in parts.query.split("&") if part and not part.startswith("utm_")))
    return f"https://{parts.netloc.removeprefix('www.')}{parts.path}" + (f"?{query}" if query else "")

"""Archives in the statistical shape of real ones, the same bytes for the same seed, with the truth of what they hold.

Belongs here: which articles a story lists and what a reader of the archive must find. Does not belong here: what an
article says (`invention`), how a file is written (`writing`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.invention import MAX_QUALITY, Article, Inventor
from bench.writing import Story, organization_text, site_config, story_bytes, topic_text

Related = Callable[[Random], int]
"""How many related items a story lists."""

_BLOCK = 1_000
"""Stories invented together: a story lists its neighbours' main items, and no more than a block is held at once."""
_NEIGHBOURS = 20
_RECENT = 400
_STORIES_A_DAY = 4

_MAIN_SHARE = 0.08  # of a story's list: the main item of another file
_REPEAT_SHARE = 0.22  # related to an earlier story too; with the former, about 4 of 16 articles have two parents
_MUTUAL_SHARE = 0.5  # of the neighbours listed: they list the story in turn
_OUTRANKED_SHARE = 0.1  # of the stories: may list what outranks them
_TWIN_SHARE = 2 / 197  # of the stories: the main item of another file under a second path


@dataclass(frozen=True, slots=True)
class SiteTruth:
    """What is in an archive: of each story's path the identity URLs of its main item and then of its related items, in
    the order of the file; and how many files and bytes a reader with the default globs finds."""

    listings: Mapping[str, tuple[str, ...]]
    files: int
    story_bytes: int

    @property
    def stories(self) -> int:
        return len(self.listings)

    @property
    def mentions(self) -> int:
        return sum(map(len, self.listings.values()))

    @property
    def articles(self) -> int:
        """Distinct identity URLs."""
        return len({identity for identities in self.listings.values() for identity in identities})

    def triples(self) -> Iterator[tuple[str, int, str]]:
        """Every mention: path of the story, position (0 is the main item), identity URL."""
        for path, identities in self.listings.items():
            for position, identity in enumerate(identities):
                yield path, position, identity


def usual_related(rng: Random) -> int:
    """Half of the stories stand alone; the rest list a few, seldom more than twenty."""
    return 0 if rng.random() < 0.5 else min(40, 1 + int(rng.expovariate(1 / 5)))


def write_site(folder: Path, *, stories: int, seed: int = 1, related: int | Related = usual_related) -> SiteTruth:
    """Write an archive of so many stories into `folder`. `related` is how many items each story lists, or draws it."""
    rng = Random(seed)
    count_of = related if callable(related) else lambda _: related
    inventor = Inventor.seeded(rng, outlets=min(38 + stories // 50, 1_000), days=stories // _STORIES_A_DAY + 1)
    others = _write_surroundings(folder, inventor)
    news = folder / "_news"
    news.mkdir()
    listings: dict[str, tuple[str, ...]] = {}
    written = 0
    for story in _stories(rng, inventor, count_of, stories):
        content = story_bytes(story, rng)
        # A path library's object for each of many thousand files would cost more than the writing.
        with open(f"{news}/{story.name}", "wb") as file:  # noqa: PTH123
            file.write(content)
        written += len(content)
        listings[f"_news/{story.name}"] = (
            story.main.identity,
            *(article.identity for article in story.related),
        )
    return SiteTruth(listings, len(listings) + others, written)


def _write_surroundings(folder: Path, inventor: Inventor) -> int:
    """The site's settings and `_data`; how many files of it a reader finds."""
    for name in ("_data/topics", "_data/organizations"):
        (folder / name).mkdir(parents=True)
    (folder / "_config.yml").write_bytes(site_config())
    texts = dict([*topic_text(), *map(organization_text, inventor.outlets[: len(inventor.outlets) * 7 // 38])])
    for path, text in texts.items():
        (folder / path).write_bytes(text)
    return len(texts)


def _stories(rng: Random, inventor: Inventor, count_of: Related, stories: int) -> Iterator[Story]:
    recent: list[Article] = []
    for start in range(0, stories, _BLOCK):
        mains = _mains(rng, inventor, start, min(start + _BLOCK, stories))
        owed: dict[int, list[Article]] = {}
        for index, main in enumerate(mains):
            count = count_of(rng)
            day = (start + index) // _STORIES_A_DAY
            chosen = _related(rng, inventor, mains, index, day, owed.pop(index, [])[:count], recent, count)
            for neighbour, article in _listed_ahead(mains, index, chosen):
                if rng.random() < _MUTUAL_SHARE and article is not main:
                    owed.setdefault(neighbour, []).append(main)
            yield Story(start + index, main, chosen)


def _mains(rng: Random, inventor: Inventor, start: int, stop: int) -> list[Article]:
    mains: list[Article] = []
    for number in range(start, stop):
        if mains and rng.random() < _TWIN_SHARE:
            mains.append(mains[int(rng.random() * len(mains))])
        else:
            mains.append(inventor.article(number // _STORIES_A_DAY, MAX_QUALITY))
    return mains


def _related(
    rng: Random,
    inventor: Inventor,
    mains: list[Article],
    index: int,
    day: int,
    owed: list[Article],
    recent: list[Article],
    count: int,
) -> tuple[Article, ...]:
    """The related items of a story, those it owes to a neighbour among them, by descending quality."""
    main = mains[index]
    ceiling = MAX_QUALITY if rng.random() < _OUTRANKED_SHARE else main.quality
    chosen = {article.identity: article for article in owed if article.identity != main.identity}
    neighbours = mains[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    while len(chosen) < count:
        chance = rng.random()
        known = neighbours if chance < _MAIN_SHARE else recent if chance < _MAIN_SHARE + _REPEAT_SHARE else ()
        article = _fitting(rng, known, ceiling, {main.identity, *chosen})
        if article is None:
            article = inventor.article(day + int(3 * rng.random()), ceiling)
            if len(recent) < _RECENT:
                recent.append(article)
            else:
                recent[int(rng.random() * _RECENT)] = article
        chosen[article.identity] = article
    return tuple(sorted(chosen.values(), key=lambda article: -article.quality))


def _fitting(rng: Random, known: Sequence[Article], ceiling: int, taken: set[str]) -> Article | None:
    """One of the known articles that a story may list, by chance; None where a few tries find none."""
    for _ in range(4 if known else 0):
        article = known[int(rng.random() * len(known))]
        if article.quality <= ceiling and article.identity not in taken:
            return article
    return None


def _listed_ahead(mains: list[Article], index: int, chosen: tuple[Article, ...]) -> Iterator[tuple[int, Article]]:
    """The later stories of the block whose main item is among `chosen`."""
    listed = {article.identity for article in chosen}
    for neighbour in range(index + 1, min(index + _NEIGHBOURS + 1, len(mains))):
        if mains[neighbour].identity in listed:
            yield neighbour, mains[neighbour]

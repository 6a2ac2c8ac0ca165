"""An archive of many-to-many overlaps, the same for the same seed, with the truth of which mentions mean one article.

Articles stand in several stories, as main item here and related there; stories list each other, themselves, and one
article twice. One article's URL is written in every way that must not matter, and beside it stand twins whose URL or
title differs in just what does matter. The truth is the generator's own label of each article, never a rule of URLs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import yaml

Listings = dict[str, tuple[tuple[int, str], ...]]
"""Of each story's path the positions in it and the labels of what stands there."""

SITE = "url: https://tidewatch.example\nbaseurl: /energy\n"
TOPICS = {
    "Tidal Power": None, "Lagoons": "Tidal Power", "Tidal Stream": "Tidal Power", "Kites": "Tidal Stream",
    "R&D": None, "Storms": "Weather", "Never Used": "Tidal Power",
}  # fmt: skip
"""Described in `_data/topics`, with their parents; one is never used, one parent never described."""

_FIRST_DAY = datetime(2024, 3, 1, 6, 30, tzinfo=UTC)
_UNUSABLE: tuple[object, ...] = (
    *(None, "", "  ", "mailto:desk@a.example", "javascript:void(0)", "https:\\\\a.example\\x", "ftp://a.example/x", 17),
)
_TRACKING = ("utm_source=feed", "UTM_Campaign=x", "utm_medium=", "fbclid=Zz9", "gclid=1", "mc_cid=a%20b")
_NEVER_TRACKING = ("ref=home", "copy=2", "utm=1", "gclid2=1", "source=feed")


@dataclass(frozen=True, slots=True)
class Article:
    """One article as its label means it: at a URL, or without one and told by domain, title and time."""

    label: str
    domain: str
    title: str | None
    published_at: datetime
    host: str = ""
    port: int | None = None
    path: str = ""
    query: tuple[str, ...] = ()

    @property
    def has_url(self) -> bool:
        return bool(self.host)


@dataclass(frozen=True, slots=True)
class Draft:
    """A story before it is written: where, what leads it and what it lists (None: what is no item)."""

    path: str
    main: Article
    related: tuple[Article | None, ...]


def write_overlaps(folder: Path, *, stories: int, seed: int) -> Listings:
    """Write the archive into `folder`; what its stories list."""
    rng = Random(seed)
    pool = _pool(rng, stories)
    folder.mkdir(parents=True)
    (folder / "_config.yml").write_text(SITE)
    for number, (name, parent) in enumerate(TOPICS.items()):
        topic = {"taxonomy": "topic", "name": name} | ({"parent": parent} if parent else {})
        _put(folder, f"_data/topics/{number}.yaml", yaml.safe_dump(topic))
    for number in range(stories // 20):
        bystander = _item(rng, _one(rng, pool))
        _put(folder, f"_learning/{number}.md", f"---\n{yaml.safe_dump(bystander)}---\n")
        _put(folder, f"_news/broken-{number}.md", f"---\ntitle: {bystander.get('title')}: 'open\n---\n")
    return _write(rng, folder, _drafts(rng, pool, stories))


def rewrite_some(folder: Path, listings: Listings, *, seed: int) -> tuple[Listings, set[str]]:
    """A night later: some stories list otherwise, some are gone, some are new. What is listed now, and the paths of
    what is new or changed."""
    rng = Random(seed)
    pool = _pool(rng, len(listings))
    kept = dict(listings)
    for path in rng.sample(sorted(kept), len(kept) // 30):
        (folder / path).unlink()
        del kept[path]
    changed = set(rng.sample(sorted(kept), len(kept) // 5))
    drafts = [
        replace(draft, path=path) for draft, path in zip(_drafts(rng, pool, len(changed)), sorted(changed), strict=True)
    ]
    new = [replace(draft, path=f"_news/later/{number}.md") for number, draft in enumerate(_drafts(rng, pool, 12))]
    written = _write(rng, folder, [*drafts, *new])
    return kept | written, set(written)


def _pool(rng: Random, size: int) -> list[Article]:
    """The articles of the archive: the same ones for archives of one size, each with its twins."""
    pool: list[Article] = []
    fixed = Random(size)
    for number in range(size):
        article = _article(fixed, number)
        pool += [article, *(twin for twin in _twins(article) if fixed.random() < 0.4)]
    rng.shuffle(pool)
    return pool


def _article(rng: Random, number: int) -> Article:
    domain = f"desk-{rng.randrange(25)}.example"
    published_at = _FIRST_DAY + timedelta(minutes=rng.randrange(60 * 24 * 60))
    named = Article(f"article {number}", domain, f"Report {number} on the tide", published_at)
    chance = rng.random()
    if chance < 0.1:
        return named
    if chance < 0.13:
        return replace(named, title=None, label="")
    host = rng.choice(["", "news.", "m."]) + domain
    if chance < 0.4:
        return replace(named, host=host, path="/watch", query=(f"v=aB{number}xY", "list=tides"))
    query = ("id=4", "page=2", "id=3")[: rng.randrange(4)]
    return replace(named, host=host, path=f"/Stories/{number}/the-tide", query=query)


def _twins(article: Article) -> Iterator[Article]:
    """What is easily taken for the article, and is another one."""
    if not article.has_url:
        if article.title is not None:
            yield replace(
                article, label=f"{article.label}, later", published_at=article.published_at + timedelta(0, 60)
            )
            yield replace(article, label=f"{article.label}, retold", title=f"{article.title}s")
            yield replace(article, label=f"{article.label}, elsewhere", domain=f"other-{article.domain}")
        return
    yield replace(article, label=f"{article.label}, other case", path=article.path.swapcase())
    yield replace(article, label=f"{article.label}, slash", path=article.path + "/")
    yield replace(article, label=f"{article.label}, two slashes", path="/" + article.path)
    yield replace(article, label=f"{article.label}, other port", port=8443)
    yield replace(article, label=f"{article.label}, other host", host=f"live.{article.host}")
    yield replace(article, label=f"{article.label}, other query", query=(*article.query, "part=2"))
    if article.query:
        recased = tuple(part.swapcase() for part in article.query)
        yield replace(article, label=f"{article.label}, other id", query=recased)
        yield replace(article, label=f"no query at {article.host}{article.path}", query=())
    for extra in _NEVER_TRACKING:
        yield replace(article, label=f"{article.label}, {extra}", query=(*article.query, extra))


def _drafts(rng: Random, pool: Sequence[Article], stories: int) -> list[Draft]:
    drafts: list[Draft] = []
    owed: dict[int, list[Article]] = {}
    mains = [_one(rng, pool) for _ in range(stories)]
    for number, main in enumerate(mains):
        related: list[Article | None] = []
        for _ in range(0 if rng.random() < 0.25 else rng.randrange(1, 14)):
            chance = rng.random()
            if chance < 0.25:  # the main item of another story, which may list this one in turn
                other = rng.randrange(stories)
                related.append(mains[other])
                if rng.random() < 0.5:
                    owed.setdefault(other, []).append(main)
            elif chance < 0.32 and related:
                related.append(rng.choice(related))
            elif chance < 0.36:
                related.append(main)
            elif chance < 0.4:
                related.append(None)
            else:
                related.append(_one(rng, pool[: len(pool) // 2]))
        place = rng.choice(["_news/{}.md", "_news/2024/{}.md", "_posts/{}.md"])
        drafts.append(Draft(place.format(number), main, tuple(related)))
    return [replace(draft, related=(*draft.related, *owed.get(number, [])[:5])) for number, draft in enumerate(drafts)]


def _write(rng: Random, folder: Path, drafts: Sequence[Draft]) -> Listings:
    listings: Listings = {}
    for draft in drafts:
        front = _item(rng, draft.main) | {"heat": rng.randrange(-1, 300), "topics": _topics(rng)}
        front["category"] = "News" if draft.path.startswith("_posts/") else rng.choice(["news", "misc"])
        listed = [(0, draft.main.label or f"{draft.path} itself")]
        related: object = [rng.choice([None, "a-slug", 4]) if one is None else _item(rng, one) for one in draft.related]
        for position, article in enumerate(draft.related, 1):
            if article is not None:
                listed.append((position, article.label or f"{draft.path} at {position}"))
        if len(listed) == len(draft.related) + 1 == 2 and rng.random() < 0.5:
            [related] = related  # type: ignore[misc]
        if draft.related or rng.random() < 0.5:
            front["related"] = related or rng.choice([[], None])
        keys = rng.sample(sorted(front), len(front))
        text = "---\n" + yaml.safe_dump({key: front[key] for key in keys}, sort_keys=False) + "---\nThe tide.\n"
        _put(folder, draft.path, text.replace("\n", "\r\n") if rng.random() < 0.3 else text)
        listings[draft.path] = tuple(listed)
    return listings


def _item(rng: Random, article: Article) -> dict[str, Any]:
    """The article as some story writes it: its URL, or its title and time, in one of many ways; the rest at random."""
    item: dict[str, Any] = {"quality": rng.choice([None, -3, *range(10, 190)]), "provider": {"domain": article.domain}}
    if rng.random() < 0.8:
        item["provider"]["name"] = f"The {article.domain.partition('.')[0]}" + rng.choice(
            ["", "", "", " &amp; Co", " "]
        )
    if article.has_url:
        item["title"] = rng.choice([article.title, f"{article.title}, again", f" {article.title} ", None])
        item["publishedDateTime"] = article.published_at + timedelta(hours=rng.choice([0, 0, 0, 5]))
        item |= _places(rng, lambda: _written(rng, article))
        if rng.random() < 0.1:
            del item["provider"]
        if rng.random() < 0.1:
            item["publishedDateTime"] = rng.choice([None, "soon", article.published_at.date()])
        return item
    if article.title is not None:
        item["title"] = rng.choice(
            [article.title, article.title.upper(), f" {article.title}\u00a0", "&#82;" + article.title[1:]]
        )
    item["publishedDateTime"] = article.published_at.astimezone(timezone(timedelta(hours=rng.choice([0, 2, -7]))))
    item["provider"]["domain"] = rng.choice([article.domain, article.domain.upper(), f" {article.domain}"])
    return item | {"webUrl": rng.choice(_UNUSABLE), "originalUrl": rng.choice(_UNUSABLE)}


def _places(rng: Random, written: Callable[[], str]) -> Mapping[str, object]:
    """Where the URL stands: `webUrl` is asked first, `originalUrl` where that cannot be used."""
    return rng.choice(
        [
            {"webUrl": written()},
            {"webUrl": written(), "originalUrl": written()},
            {"webUrl": written(), "originalUrl": "https://another.example/page"},
            {"webUrl": rng.choice(_UNUSABLE), "originalUrl": written()},
            {"originalUrl": written()},
        ]
    )


def _written(rng: Random, article: Article) -> str:
    """The URL in one of the ways that must not matter."""
    scheme = rng.choice(["http", "https", "HTTPS"])
    port = article.port or (rng.choice([None, {"http": 80, "https": 443}[scheme.lower()]]))
    host = rng.choice(["", "www."]) + article.host
    query = [*article.query, *rng.sample(_TRACKING, rng.choice([0, 0, 0, 1, 2]))]
    rng.shuffle(query)
    mark = rng.choice(["&", "&amp;", "&#038;"])
    return "".join(
        [
            rng.choice(["", "", " ", "\u00a0"]),
            f"{scheme}://{rng.choice([host, host.upper(), host.title()])}",
            f":{port}" if port else "",
            article.path,
            f"?{mark.join(query)}" if query else rng.choice(["", "?"]),
            rng.choice(["", "", "#comments", "#utm_source=feed"]),
            rng.choice(["", "", " ", "\n"]),
        ]
    )


def _topics(rng: Random) -> object:
    names = ["Tidal Power", "Lagoons", "Tidal Stream", "Kites", "R&amp;D", " Storms ", "Loose", "", 7, None]
    return rng.choice([None, [], [rng.choice(names) for _ in range(rng.randrange(1, 5))]])


def _one(rng: Random, pool: Sequence[Article]) -> Article:
    """One of the pool, the first ones often, so that they stand in many stories."""
    return pool[min(int(rng.expovariate(4) * len(pool)), len(pool) - 1)]


def _put(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())

"""The traps that show only over several refreshes, or in the tables that a refresh makes."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from pipeline.settings import load_settings
from tests.tables import Archive
from tests.traps.trap import Trap

Night = Mapping[str, object]
"""The files of a night by their paths: front matter, or bytes."""

_STORY = {"category": "news", "title": "One", "webUrl": "https://e.org/one", "quality": 9}
_ALPHA = {"title": "Alpha", "webUrl": "https://e.org/alpha", "quality": 8}
_BETA = {"title": "Beta", "webUrl": "https://e.org/beta", "quality": 7}
# Enough neighbours that one file less is no sign of a lost archive.
_NEIGHBOURS: Night = {f"about/{number}.md": {"title": f"page {number}"} for number in range(3)}

_FILES = """
select path, status, (select count(*) from coverage.document_versions as v where v.path = d.path)
from coverage.documents as d
where path like '_news/%'
order by path
"""
_IDS = """
select
    (select list(story_id order by story_id) from coverage.stories),
    (select list(article_id order by article_id) from coverage.articles),
    (select count(*) from coverage.mentions),
    (select count(*) from coverage.story_articles),
    (select count(*) from coverage.stories where is_stale)
"""
_ISSUES = "select code from coverage.document_issues where path like '_news/%' order by code"


def _over(name: str, looks: str, nights: tuple[Night, ...], outcome: str) -> Trap:
    """A refresh after each night, and what the tables hold then."""

    def run(folder: Path) -> str:
        archive = _archive(folder)
        told = []
        before: set[str] | None = None
        for files in nights:
            for stale in archive.folder.rglob("*.md"):
                stale.unlink()
            for path, content in (_NEIGHBOURS | files).items():
                assert isinstance(content, Mapping | bytes)
                archive.write(path, content)
            archive.refresh()
            line, ids = _state(archive)
            if before is not None:
                line += ", " + ("the same ids" if ids == before else _changed_ids(before, ids))
            told.append(f"{len(told) + 1}. {line}")
            before = ids
        return "<br>".join(told)

    return Trap(name, looks, outcome, run)


def _changed_ids(before: set[str], ids: set[str]) -> str:
    changes = [f"{len(found)} {what}" for found, what in ((ids - before, "new"), (before - ids, "gone")) if found]
    return "ids: " + ", ".join(changes)


def _archive(folder: Path) -> Archive:
    site = folder / "site"
    site.mkdir()
    values = {
        "data_dir": str(folder / "data"),
        "sources": [{"name": "site", "path": str(site)}],
        "links": {"enabled": False},
        "executor": {"kind": "serial"},
    }
    config = folder / "newsledger.yaml"
    config.write_text(yaml.safe_dump(values), "utf-8")
    return Archive(load_settings(config))


def _state(archive: Archive) -> tuple[str, set[str]]:
    """The state in words, and the ids of its stories and articles."""
    files = [f"`{path}` {status}, {_count(versions, 'version')}" for path, status, versions in archive.query(_FILES)]
    [(stories, articles, mentions, links, stale)] = archive.query(_IDS)
    ids = {str(uid) for column in (stories, articles) if isinstance(column, list) for uid in column}
    parts = [
        *files,
        _count(len(stories) if isinstance(stories, list) else 0, "story", "stories") + (" (stale)" if stale else ""),
        _count(len(articles) if isinstance(articles, list) else 0, "article"),
        _count(mentions, "mention"),
        _count(links, "story-article pair"),
        *(f"`{code}`" for code in archive.column(_ISSUES)),
    ]
    return ", ".join(parts), ids


def _count(number: object, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


OVER_NIGHTS: tuple[Trap, ...] = (
    _over(
        "the same path, a new URL",
        "`webUrl` changes",
        ({"_news/a.md": _STORY}, {"_news/a.md": _STORY | {"webUrl": "https://e.org/two"}}),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` accepted, 2 versions, 1 story, 1 article, 1 mention, 1 story-article pair, ids: 1 new, 1 gone",
    ),
    _over(
        "the same URL, a new path",
        "a file is renamed",
        ({"_news/a.md": _STORY}, {"_news/b.md": _STORY}),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` removed, 1 version, `_news/b.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair, ids: 1 new, 1 gone",
    ),
    _over(
        "deleted, then restored",
        "a file goes and comes back",
        ({"_news/a.md": _STORY}, {}, {"_news/a.md": _STORY}),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` removed, 1 version, 0 stories, 0 articles, 0 mentions, 0 story-article pairs, ids: 2 gone<br>3. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair, ids: 2 new",
    ),
    _over(
        "a change of `secured` alone",
        "`secured: a;b` → `secured: c;d`",
        ({"_news/a.md": _STORY | {"secured": "a;b"}}, {"_news/a.md": _STORY | {"secured": "c;d"}}),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair, the same ids",
    ),
    _over(
        "related in another order",
        "`related: [alpha, beta]` → `[beta, alpha]`",
        (
            {"_news/a.md": _STORY | {"related": [_ALPHA, _BETA]}},
            {"_news/a.md": _STORY | {"related": [_BETA, _ALPHA]}},
        ),
        "1. `_news/a.md` accepted, 1 version, 1 story, 3 articles, 3 mentions, 3 story-article pairs<br>2. `_news/a.md` accepted, 2 versions, 1 story, 3 articles, 3 mentions, 3 story-article pairs, the same ids",
    ),
    _over(
        "a related item that is its own parent",
        "`related` holds the file's own `webUrl`",
        ({"_news/a.md": _STORY | {"related": [_STORY, _ALPHA]}},),
        "1. `_news/a.md` accepted, 1 version, 1 story, 2 articles, 3 mentions, 2 story-article pairs",
    ),
    _over(
        "an article that stands twice in one list",
        "`related: [alpha, alpha]`",
        ({"_news/a.md": _STORY | {"related": [_ALPHA, _ALPHA]}},),
        "1. `_news/a.md` accepted, 1 version, 1 story, 2 articles, 3 mentions, 2 story-article pairs",
    ),
    _over(
        "two files that list each other",
        "a in b's `related`, b in a's",
        (
            {
                "_news/a.md": _STORY | {"related": [_ALPHA]},
                "_news/b.md": {"category": "news"} | _ALPHA | {"related": [_STORY]},
            },
        ),
        "1. `_news/a.md` accepted, 1 version, `_news/b.md` accepted, 1 version, 2 stories, 2 articles, 4 mentions, 4 story-article pairs",
    ),
    _over(
        "no `webUrl`",
        "`originalUrl` alone; then neither",
        (
            {"_news/a.md": {"category": "news", "title": "One", "originalUrl": "https://e.org/one"}},
            {"_news/a.md": {"category": "news", "title": "One"}},
        ),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` accepted, 2 versions, 1 story, 1 article, 1 mention, 1 story-article pair, ids: 1 new, 1 gone",
    ),
    _over(
        "a good file that turns bad, then good",
        "`title: [One`",
        (
            {"_news/a.md": _STORY},
            {"_news/a.md": b"---\ncategory: news\ntitle: [One\n---\n"},
            {"_news/a.md": _STORY},
        ),
        "1. `_news/a.md` accepted, 1 version, 1 story, 1 article, 1 mention, 1 story-article pair<br>2. `_news/a.md` rejected, 2 versions, 1 story (stale), 1 article, 1 mention, 1 story-article pair, `invalid_syntax`, the same ids<br>3. `_news/a.md` accepted, 2 versions, 1 story, 1 article, 1 mention, 1 story-article pair, the same ids",
    ),
)

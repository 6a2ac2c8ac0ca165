"""Plain Python that reads a folder of YAML front matter as the blueprint says it is to be read.

Slow, short and written apart from the product: what it says is what the tables must hold.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import yaml

_CLOSED_ENTITY = re.compile(r"&[#A-Za-z][A-Za-z0-9]*;")
_SPACE = " \t\r\n\u00a0\u200b"
_TRACKING = ("utm_", "mtm_")
_TRACKING_NAMES = {"fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "igshid"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Mention:
    """One appearance: where it stands and what it says, as far as an article is told by it."""

    path: str
    position: int
    identity: str
    is_identified: bool
    title: str | None
    published_at: datetime | None
    quality: int | None
    outlet: tuple[str, str] | None
    """Domain and name."""

    @property
    def role(self) -> str:
        return "related" if self.position else "main"


@dataclass(frozen=True, slots=True)
class Story:
    """A news file: its appearances in order, and the topics it is filed under, each at its first place."""

    path: str
    mentions: tuple[Mention, ...]
    topics: Mapping[str, int]
    heat: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read: the stories, and the parent of each topic that `_data/topics` describes."""

    stories: tuple[Story, ...]
    parents: Mapping[str, str | None] = field(default_factory=dict)

    def mentions(self) -> Iterator[Mention]:
        for story in self.stories:
            yield from story.mentions

    def articles(self, night_of: Callable[[str], int]) -> dict[str, tuple[object, ...]]:
        """Of each identity: whether a URL gave it, its mentions, its stories, and the best-known title, time, quality
        and outlet: of a main item before a related one, of a newer file before an older one."""
        found: dict[str, list[Mention]] = {}
        for mention in self.mentions():
            found.setdefault(mention.identity, []).append(mention)
        return {identity: _article(mentions, night_of) for identity, mentions in found.items()}

    def story_articles(self) -> list[tuple[str, str, str, int, int | None]]:
        """Path, identity, role, rank and quality: of each article in a story its first appearance there."""
        rows = {}
        for mention in sorted(self.mentions(), key=lambda one: -one.position):
            rows[mention.path, mention.identity] = (mention.role, mention.position, mention.quality)
        return sorted((*key, *row) for key, row in rows.items())  # type: ignore[type-var]

    def outlets(self) -> dict[tuple[str, str], int]:
        """Each domain and name, and how often it is written."""
        return dict(Counter(mention.outlet for mention in self.mentions() if mention.outlet is not None))

    def topics(self) -> dict[str, tuple[int, str | None]]:
        """Each topic, the stories filed under it and its parent: those used, those described and their parents."""
        names = {name for story in self.stories for name in story.topics} | set(self.parents)
        names |= {parent for parent in self.parents.values() if parent}
        return {name: (sum(name in story.topics for story in self.stories), self.parents.get(name)) for name in names}


def read_archive(folder: Path, source: str) -> Reading:
    """Everything that the folder tells; what has neither URL nor title is only like itself, in its source."""
    config = yaml.load((folder / "_config.yml").read_bytes(), yaml.CSafeLoader)
    site = config["url"].rstrip("/") + "/" + config.get("baseurl", "").strip("/")
    stories = [
        _story(source, path, front, site)
        for path, front in _front_matters(folder)
        if path.startswith("_news/") or str(front.get("category", "")).lower() == "news"
    ]
    defined = [yaml.load(file.read_bytes(), yaml.CSafeLoader) for file in sorted(folder.glob("_data/topics/*.yaml"))]
    return Reading(tuple(stories), {topic["name"]: topic.get("parent") for topic in defined})


def identity_of(written: object, site: str) -> str | None:
    """What a URL is about; None where it is none that can be asked."""
    if not isinstance(written, str):
        return None
    text = _undone(written).strip(_SPACE)
    if not text or "\\" in text:
        return None
    if text.startswith("/"):
        text = site.rstrip("/") + text
    parts = urlsplit(text)
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        return None
    host = parts.hostname.encode("idna").decode()
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme.lower()]) else f":{parts.port}"
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~") or "/"
    kept = sorted(pair for pair in parts.query.split("&") if pair and not _tracks(pair))
    return f"https://{host.removeprefix('www.')}{port}{path}" + (f"?{'&'.join(kept)}" if kept else "")


def _tracks(pair: str) -> bool:
    [(name, _)] = parse_qsl(pair, keep_blank_values=True)
    return name.lower() in _TRACKING_NAMES or name.lower().startswith(_TRACKING)


def _front_matters(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(folder.rglob("*.md")):
        lines = file.read_text("utf-8").split("\n")
        if lines[:1] != ["---"] or "---" not in lines[1:]:
            continue
        try:
            front = yaml.load("\n".join(lines[1 : lines.index("---", 1)]), yaml.CSafeLoader)
        except yaml.YAMLError:
            continue
        yield file.relative_to(folder).as_posix(), front


def _story(source: str, path: str, front: dict[str, Any], site: str) -> Story:
    mentions = [
        _mention(path, position, item, site, f"{source}/{path}{pointer}")
        for position, pointer, item in _items(front, front.get("related"))
    ]
    topics: dict[str, int] = {}
    for position, topic in enumerate(front.get("topics") or ()):
        if isinstance(topic, str) and _clean(topic):
            topics.setdefault(_clean(topic), position)
    return Story(path, tuple(mentions), topics, front.get("heat"))


def _items(front: dict[str, Any], related: object) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The main item, then the related ones at the places where they stand: one bare mapping, or those of a list."""
    yield 0, "", front
    if isinstance(related, dict):
        yield 1, "/related", related
    for position, item in enumerate(related if isinstance(related, list) else ()):
        if isinstance(item, dict):
            yield position + 1, f"/related/{position}", item


def _mention(path: str, position: int, item: dict[str, Any], site: str, place: str) -> Mention:
    provider = item.get("provider") or {}
    domain = (provider.get("domain") or "").strip().lower()
    name = _clean(provider.get("name") or "")
    title = _clean(item["title"]) if isinstance(item.get("title"), str) else None
    published_at = _instant(item.get("publishedDateTime"))
    identity = identity_of(item.get("webUrl"), site) or identity_of(item.get("originalUrl"), site)
    when = f"{published_at:%Y-%m-%dT%H:%M:%SZ}" if published_at else ""
    what = (title or "").lower() or place
    return Mention(
        path,
        position,
        identity or f"urn:newsledger:{domain}:{when}:{what}",
        identity is not None,
        title,
        published_at,
        item.get("quality"),
        (domain, name or domain) if domain else None,
    )


def _instant(value: object) -> datetime | None:
    """A time without an offset is UTC, a date alone its first moment."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", _undone(text)).strip(_SPACE)


def _undone(text: str) -> str:
    """Only an entity with its semicolon is one: `?a=1&copy=2` is a query."""
    return _CLOSED_ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _article(mentions: Iterable[Mention], night_of: Callable[[str], int]) -> tuple[object, ...]:
    best = sorted(mentions, key=lambda one: (one.position > 0, -night_of(one.path), one.path, one.position))
    return (
        best[0].is_identified,
        len(best),
        len({one.path for one in best}),
        _first(one.title for one in best),
        _first(one.published_at for one in best),
        _first(one.quality for one in best),
        _first(one.outlet for one in best),
    )


def _first(values: Iterable[object]) -> object:
    return next((value for value in values if value is not None), None)

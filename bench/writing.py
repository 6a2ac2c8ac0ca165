"""The files of an archive, written as the real publisher's program writes them: no YAML library's style is like it."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.invention import BASE_URL, FILES_SEEN, SITE_URL, TOPICS, Article, Outlet

_CRLF = 57 / FILES_SEEN
_OLD = 10 / FILES_SEEN
_UNPUBLISHED = 60 / FILES_SEEN
_OTHER_DATE = 10 / FILES_SEEN
_PROVIDER_IMAGE = 164 / FILES_SEEN
_OTHER_NAME = 0.05
_MARKED_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Story:
    """One news file: its main item and its related items by descending quality."""

    number: int
    main: Article
    related: tuple[Article, ...]

    @property
    def name(self) -> str:
        # As in the real archive, the date in a file's name is not always that of the article.
        day = "2018-12-31" if self.number % FILES_SEEN < _OTHER_DATE * FILES_SEEN else self.main.day
        return f"{day}-{self.main.slug}-{self.number}.md"

    @property
    def heat(self) -> int:
        """The publisher's rule: more than the quality for a lead, -1 where a related item outranks the file."""
        if self.related and self.related[0].quality > self.main.quality:
            return -1
        return self.main.quality + 10 * len(self.related)


def story_bytes(story: Story, rng: Random) -> bytes:
    """The file of a story."""
    main, chance = story.main, rng.random
    is_old = main.kind == "article" and chance() < _OLD
    lines = [f'---\ncategory: news\ntitle: "{main.title}"\nexcerpt: "{main.excerpt}"\n']
    lines.append(f"publishedDateTime: {main.day}T{main.time}Z\n")
    if not is_old:
        lines.append(f'originalUrl: "{main.written}"\n')
    if main.kind == "article":
        lines.append(f'webUrl: "{main.written}"\n')
    if main.has_amp:
        lines.append(_amp(main, ""))
    lines.append(f"type: {main.kind}\n")
    if not is_old:
        published = "false" if chance() < _UNPUBLISHED else "true"
        lines.append(f"quality: {main.quality}\nheat: {story.heat}\npublished: {published}\n")
    if main.kind == "video":
        lines.append(f'\nfeaturedContent: "{_frame(main)}"\n')
    lines.append(f"\nprovider:\n  name: {_name(main.outlet, rng)}\n  domain: {main.outlet.domain}\n")
    if chance() < _PROVIDER_IMAGE:
        lines.append(_provider_image(main.outlet, chance()))
    first = int(chance() * len(TOPICS))
    second = f"  - {TOPICS[first - 1]}\n" if chance() < 0.28 else ""
    lines.append(f"\ntopics:\n  - {TOPICS[first]}\n{second}")
    if main.image:
        title = f'    title: "{main.title}"\n' if is_old else ""
        lines.append(
            f'\nimages:\n  - url: "{main.image}"\n    width: 1200\n    height: 630\n    isCached: true\n{title}'
        )
    if story.related:
        lines.append("\nrelated:\n")
        lines.extend(_related(article, rng) for article in story.related)
    secret = b64encode(rng.randbytes(16 * (12 + int(16 * chance())))).decode()
    vector = b64encode(rng.randbytes(16)).decode()
    lines.append(f'\nsecured: "{secret};{vector}"\n---\n\n')
    text = "".join(lines)
    return (text.replace("\n", "\r\n") if chance() < _CRLF else text).encode()


def site_config() -> bytes:
    """`_config.yml`, with the address that relative URLs stand on."""
    return (
        f'title: Tidelines\nurl: {SITE_URL}\nbaseurl: "{BASE_URL}"\nlocale: "en-gb"\n'
        "collections:\n  news:\n    output: true\n"
    ).encode()


def topic_text() -> Iterator[tuple[str, bytes]]:
    """The files of `_data/topics`: bare YAML, whose `parent` is a name."""
    for number, name in enumerate(TOPICS):
        slug = name.lower().replace(" ", "-")
        parent = f"parent: {TOPICS[0]}\n" if number else ""
        text = f"taxonomy: topic\n_id: {slug}\nname: {name}\n{parent}keywords:\n  - {name.lower()}\n"
        service = f"services:\n  news: {SITE_URL}{BASE_URL}/api/news/{slug}/\n"
        yield f"_data/topics/{number:02}-{slug}.yaml", (text + service).encode()


def organization_text(outlet: Outlet) -> tuple[str, bytes]:
    """A file of `_data/organizations`: one a domain."""
    head = f"---\ntaxonomy: organization\n_id: {outlet.domain}\nname: {outlet.names[0]}\ndomain: {outlet.domain}\n"
    logo = f"images:\n  - url: /assets/images/organizations/{outlet.domain}-50x50.jpg\n    width: 50\n    height: 50\n"
    return f"_data/organizations/{outlet.domain}.md", f"{head}{logo}---\n".encode()


def _related(article: Article, rng: Random) -> str:
    written = article.written
    if article.kind == "article" and "?" not in written and rng.random() < _MARKED_AGAIN:
        written += "?utm_source=tidelines"
    image = ""
    if article.image:
        image = f'    images:\n      - url: "{article.image}"\n        width: 1200\n'
        image += "        height: 630\n        isCached: true\n"
    return (
        f'  - title: "{article.title}"\n    excerpt: "{article.excerpt}"\n'
        f'    publishedDateTime: {article.day}T{article.time}Z\n    webUrl: "{written}"\n'
        f"{_amp(article, '    ') if article.has_amp else ''}    type: {article.kind}\n"
        f"    provider:\n      name: {_name(article.outlet, rng)}\n      domain: {article.outlet.domain}\n"
        f"    quality: {article.quality}\n{image}"
    )


def _amp(article: Article, indent: str) -> str:
    host, day, slug = article.outlet.host, article.day.replace("-", "/"), article.slug
    cached = host.replace("-", "--").replace(".", "-")
    return (
        f'{indent}ampWebUrl: "https://{host}/{day}/{slug}/amp/"\n'
        f'{indent}cdnAmpWebUrl: "https://{cached}.ampcache.example/c/s/{host}/{day}/{slug}/amp/"\n'
    )


def _name(outlet: Outlet, rng: Random) -> str:
    return outlet.names[-1] if rng.random() < _OTHER_NAME else outlet.names[0]


def _provider_image(outlet: Outlet, chance: float) -> str:
    site = "" if chance < 0.5 else f"{SITE_URL}{BASE_URL}"
    url = f"{site}/assets/images/organizations/{outlet.domain}-50x50.jpg"
    return f'  images:\n    - url: "{url}"\n      width: 50\n      height: 50\n'


def _frame(article: Article) -> str:
    source = article.written.replace("/watch?v=", "/embed/")
    return f'<iframe width=\\"800\\" height=\\"500\\" src=\\"{source}\\" allowfullscreen></iframe>'

"""Outlets, texts and articles, all invented.

Texts are kept as they stand between double quotes in YAML, so that writing a file escapes nothing. Every share is a
count seen among the 192 news files of a real archive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Self, TypeVar

FILES_SEEN = 192
"""Shares are counts out of so many files."""

SITE_URL = "https://tidelines.example"
BASE_URL = "/archive"
TOPICS = (
    *("Tidal Power", "Tidal Stream", "Lagoons", "Wave Power", "Floating Platforms", "Grid", "Subsea Cables"),
    *("Batteries", "Markets", "Coastal Planning", "Marine Wildlife", "Harbours", "Ferries", "Forecasting"),
)
MAX_QUALITY, MIN_QUALITY = 189, 11

T = TypeVar("T")

_FIRST = (
    *("Harbour", "Tidal", "Northern", "Coastal", "Signal", "Lantern", "Meridian"),
    *("Beacon", "Granite", "Estuary", "Copper", "Amber", "Anchor", "Cobalt"),
)
_SECOND = (
    *("Post", "Ledger", "Desk", "Wire", "Digest", "Courier", "Review"),
    *("Gazette", "Monitor", "Dispatch", "Bulletin", "Almanac", "Observer", "Record"),
)
_SUBJECTS = (
    *("The harbour board", "A turbine maker", "The island council", "The grid operator", "An insurer", "A survey crew"),
    *(
        "The ferry company",
        "A port authority",
        "The fishers\u2019 union",
        "The energy regulator",
        "A cable ship\u2019s crew",
    ),
)
_VERBS = (
    *("approves", "delays", "tests", "questions", "doubles", "sells", "buries", "audits", "lengthens", "reopens"),
    *("withdraws", "funds", "halves", "defends", "maps", "charts"),
)
_OBJECTS = (
    *("the tidal array", "a storage barge", "its lagoon plan", "the export cable", "a floating platform", "the quay"),
    *(
        "its maintenance contract",
        "a wave farm",
        "the storm barrier",
        "a slipway",
        "the price forecast",
        "a seal survey",
    ),
)
_PLACES = (
    *(
        "off the north cape",
        "in the estuary",
        "after a winter of storms",
        "ahead of the spring tide",
        "for a third time",
    ),
    *("at the old shipyard", "despite falling prices", "under the new rules", 'with \\"no regrets\\"', "in the sound"),
)
_CLAUSES = (
    *("and expects the first power before the autumn", "after a survey found more silt than expected"),
    *("saying that steel had become cheaper", "while the council waits for a second opinion"),
    *(
        "though engineers warn that the moorings will not last",
        "as the neighbouring port makes its own offer",
    ),
    *("because the old licence ends with the year", "which would bring sixty jobs to the town"),
)


def _spices() -> tuple[tuple[str, str], ...]:
    """What stands before and behind an excerpt, as often as real ones have it."""
    seen = (
        # 27 with entities, of which 16 have one after a space, where YAML could also mean an anchor
        (8, "", " &#8220;It&#8217;s a start&#8221; &#8211; no more&#8230;"),
        (8, "", " Port &amp; Starboard"),
        (9, "", " That&#8217;s all."),
        (2, "", " R&amp;amp;D as usual"),
        (6, "", " \\r\\n\\r\\nWhen: at high water"),
        (6, "", "\\nMore below"),
        (9, "", "\u00a0By our own hand"),
        (8, "A quiet\u200b week. ", ""),
        (9, " ", ""),
        (9, "", " "),
        (6, "\U0001f30a ", ""),
    )
    plain = FILES_SEEN - sum(count for count, _, _ in seen)
    return (("", ""),) * plain + tuple((before, behind) for count, before, behind in seen for _ in range(count))


@dataclass(frozen=True, slots=True)
class Outlet:
    """A provider: its domain, the host it publishes on, and the names it goes by, the usual one first."""

    domain: str
    host: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `written` is its URL in a file, `identity` what that URL is about; texts are as between quotes."""

    identity: str
    written: str
    slug: str
    title: str
    excerpt: str
    day: str
    time: str
    kind: str
    quality: int
    outlet: Outlet
    image: str | None
    has_amp: bool


@dataclass(frozen=True, slots=True)
class Phrases:
    """Ready phrases: joining two of them is cheaper than choosing thirty words."""

    heads: tuple[tuple[str, str], ...]
    tails: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    spices: tuple[tuple[str, str], ...]

    @classmethod
    def invented(cls, rng: Random) -> Self:
        heads = tuple(f"{subject} {verb} {thing}" for subject in _SUBJECTS for verb in _VERBS for thing in _OBJECTS)
        sentences = tuple(f"{_one(rng, heads)} {_one(rng, _PLACES)}, {_one(rng, _CLAUSES)}." for _ in range(2_000))
        return cls(_with_slugs(heads), _with_slugs(_PLACES), sentences, _spices())


@dataclass(slots=True)
class Inventor:
    """Invents outlets and articles from one source of chance; articles are numbered, so no two have the same URL."""

    rng: Random
    outlets: tuple[Outlet, ...]
    phrases: Phrases
    _days: list[str]
    _count: int = 0

    @classmethod
    def seeded(cls, rng: Random, outlets: int, days: int) -> Self:
        first = date(2019, 1, 1)
        # Related coverage goes on for two days after the last story.
        names = [(first + timedelta(days=day)).isoformat() for day in range(days + 3)]
        return cls(rng, tuple(_outlet(rng, number) for number in range(outlets)), Phrases.invented(rng), names)

    def article(self, day: int, max_quality: int) -> Article:
        """An article published on or soon after `day`, of at most `max_quality`."""
        chance = self.rng.random
        self._count += 1
        # Few outlets write most: squaring favours the first ones.
        outlet = self.outlets[int(len(self.outlets) * chance() ** 2)]
        head, head_slug = _one(self.rng, self.phrases.heads)
        tail, tail_slug = _one(self.rng, self.phrases.tails)
        before, behind = _one(self.rng, self.phrases.spices)
        excerpt = f"{before}{_one(self.rng, self.phrases.sentences)} {_one(self.rng, self.phrases.sentences)}{behind}"
        slug = f"{head_slug}-{tail_slug}-{self._count}"
        published = self._days[day]
        is_video = chance() < 12 / FILES_SEEN
        identity, written = (
            _video_url(self._count) if is_video else _url(self.rng, outlet, published, slug, self._count)
        )
        seconds = 0 if chance() < 9 / FILES_SEEN else int(86_400 * chance())
        return Article(
            identity,
            written,
            slug,
            f"{head} {tail}",
            excerpt,
            published,
            f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
            "video" if is_video else "article",
            MIN_QUALITY + int((max_quality - MIN_QUALITY + 1) * chance()),
            outlet,
            _image(self.rng, outlet, slug, self._count) if chance() > 6 / FILES_SEEN else None,
            not is_video and chance() < 0.35,
        )


def _one(rng: Random, choices: Sequence[T]) -> T:
    return choices[int(rng.random() * len(choices))]


def _with_slugs(phrases: Sequence[str]) -> tuple[tuple[str, str], ...]:
    kept = (
        "".join(sign for sign in phrase.lower() if sign.isascii() and (sign.isalnum() or sign == " "))
        for phrase in phrases
    )
    return tuple((phrase, words.replace(" ", "-")) for phrase, words in zip(phrases, kept, strict=True))


def _outlet(rng: Random, number: int) -> Outlet:
    first = _FIRST[number % len(_FIRST)]
    second = _SECOND[number // len(_FIRST) % len(_SECOND)]
    series = number // (len(_FIRST) * len(_SECOND))
    domain = f"{first}-{second}{series or ''}.example".lower()
    host = ("www." if rng.random() < 0.5 else "news." if rng.random() < 0.3 else "") + domain
    name = f"{first} {second}"
    # Names are scraped: a channel of the outlet, or plainly wrong.
    return Outlet(domain, host, (name, f"The {name}", f"{name} Energy")[: 1 + int(3 * rng.random())])


def _url(rng: Random, outlet: Outlet, day: str, slug: str, number: int) -> tuple[str, str]:
    """The identity of an article's URL and the URL as a file writes it."""
    host = outlet.host.removeprefix("www.")
    path = f"/{day.replace('-', '/')}/{slug}/"
    chance = rng.random()
    if chance < 1 / FILES_SEEN:
        path = f"/{path}"
    if chance > 0.5:
        return f"https://{host}{path}", f"https://{outlet.host}{path}"
    if chance > 0.49:
        return f"https://{host}{path}", f"http://{outlet.host}{path}"
    if chance > 0.43:
        return f"https://{host}/story?id={number}", f"https://{outlet.host}/story?id={number}"
    if chance > 0.43 - 1 / FILES_SEEN:
        return f"https://{host}/story?id={number}&page=1", f"https://{outlet.host}/story?page=1&#038;id={number}"
    if chance > 0.40:
        return f"https://{host}{path}", f"https://{outlet.host}{path}?utm_source=tidelines&utm_medium=feed"
    return f"https://{host}{path}", f"https://{outlet.host}{path}"


def _video_url(number: int) -> tuple[str, str]:
    url = f"https://video.example/watch?v=tl{number:09}"
    return url, url


def _image(rng: Random, outlet: Outlet, slug: str, number: int) -> str:
    chance = rng.random()
    if chance < 0.12:
        return f"https://{outlet.host}/images/shared/social-default.png"
    if chance < 0.22:
        return f"/assets/images/news/{slug}.jpg"
    if chance < 0.26:
        return f"https://cdn.{outlet.domain}//uploads/{number}-1200x630.jpg"
    if chance < 0.29:
        expires = 1_610_000_000 + int(1e6 * rng.random())
        return f"https://cdn.{outlet.domain}/{number}.jpg?expires={expires}&signature={rng.randbytes(16).hex()}"
    if chance < 0.30:
        return f"https://cdn.{outlet.domain}/{number}.png?resize=620%2C497&#038;ssl=1"
    return f"https://cdn.{outlet.domain}/wp-content/uploads/{number}-1200x630.jpg"

"""What stands on the page, in order: the tables, their columns, and what is said where a table is empty.

Layout only: the SQL is in `statements/`, the reading in `reading`, the HTML in `templates/`.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files


class Kind(Enum):
    """How a cell is shown and sorted."""

    TEXT = "text"
    CODE = "code"
    BADGE = "badge"
    URL = "url"
    DATE = "date"
    NUMBER = "number"
    SHARE = "share"
    HOURS = "hours"
    PATHS = "paths"
    PLACES = "places"


NUMERIC = frozenset({Kind.NUMBER, Kind.SHARE, Kind.HOURS})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the statement's answer, what stands above it, and how its cells are shown."""

    name: str
    heading: str
    kind: Kind
    absent: str = "–"

    @property
    def is_numeric(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the page. `name` is its anchor and its statement's file; `noun` counts its rows: (one, several)."""

    name: str
    title: str
    lead: str
    empty: str
    noun: tuple[str, str]
    columns: tuple[Column, ...]

    @property
    def statement(self) -> str:
        return statement(self.name)


@cache
def statement(name: str) -> str:
    """The SQL of `statements/<name>.sql`, without a newline at its end."""
    return files("pipeline.report").joinpath("statements", f"{name}.sql").read_text(encoding="utf-8").rstrip()


SECTIONS = (
    Section(
        "dead_links",
        "Dead and failing links",
        "Links whose last judgement says that what they point to is not there. Three strikes, on nights apart, make a"
        " link dead; until then it is failing. Of the places a link stands in, the first ten are listed.",
        "No link is known to be dead or failing.",
        ("link", "links"),
        (
            Column("link", "Link", Kind.URL),
            Column("state", "State", Kind.BADGE),
            Column("strikes", "Strikes", Kind.NUMBER),
            Column("verdict", "Verdict", Kind.BADGE),
            Column("why", "Why", Kind.CODE),
            Column("last_alive", "Last alive", Kind.DATE, "never seen"),
            Column("places", "Places", Kind.NUMBER),
            Column("first_places", "Where it stands", Kind.PLACES),
        ),
    ),
    Section(
        "outlets",
        "Link health by outlet",
        "Links of each domain by their last judgement. The share is of those that could be judged.",
        "No link stands in a current file.",
        ("domain", "domains"),
        (
            Column("domain", "Domain", Kind.CODE),
            Column("outlet", "Outlet", Kind.TEXT),
            Column("links", "Links", Kind.NUMBER),
            Column("alive", "Alive", Kind.NUMBER),
            Column("broken", "Broken", Kind.NUMBER),
            Column("unjudged", "Not judged", Kind.NUMBER),
            Column("broken_share", "Broken share", Kind.SHARE),
        ),
    ),
    Section(
        "shared_articles",
        "Articles in several stories",
        "The same article, told by its URL whichever way that was written, in more than one story.",
        "No article stands in more than one story.",
        ("article", "articles"),
        (
            Column("title", "Article", Kind.TEXT, "without a title"),
            Column("outlet", "Outlet", Kind.TEXT),
            Column("identity_url", "URL", Kind.URL),
            Column("story_count", "Stories", Kind.NUMBER),
            Column("leads", "Leads", Kind.NUMBER),
            Column("paths", "Files", Kind.PATHS),
        ),
    ),
    Section(
        "lag",
        "Coverage lag by topic",
        "Hours from a story’s main item to the coverage related to it, where both times are known to the second. A"
        " negative lag is coverage that came before.",
        "No story has related coverage of known time.",
        ("topic", "topics"),
        (
            Column("topic", "Topic", Kind.TEXT, "without a topic"),
            Column("stories", "Stories", Kind.NUMBER),
            Column("related_items", "Related items", Kind.NUMBER),
            Column("median_lag_hours", "Median lag", Kind.HOURS),
            Column("p90_lag_hours", "Nine tenths within", Kind.HOURS),
            Column("share_before", "Published before", Kind.SHARE),
        ),
    ),
    Section(
        "changes",
        "Changed in the last refresh",
        "Files that were added, changed, turned bad, vanished or came back.",
        "The last refresh found nothing changed.",
        ("file", "files"),
        (
            Column("path", "File", Kind.CODE),
            Column("source", "Source", Kind.TEXT),
            Column("change", "Change", Kind.BADGE),
            Column("title", "Title", Kind.TEXT, "without a title"),
            Column("heat_before", "Heat before", Kind.NUMBER),
            Column("heat_now", "Heat now", Kind.NUMBER),
            Column("related_before", "Related before", Kind.NUMBER),
            Column("related_now", "Related now", Kind.NUMBER),
        ),
    ),
    Section(
        "issues",
        "Problems in files",
        "An error keeps a file from being accepted; a warning does not. The place is path:line:column.",
        "No file has an error or a warning.",
        ("problem", "problems"),
        (
            Column("place", "Place", Kind.CODE),
            Column("source", "Source", Kind.TEXT),
            Column("severity", "Severity", Kind.BADGE),
            Column("code", "Code", Kind.CODE),
            Column("message", "Message", Kind.TEXT),
            Column("raw", "As written", Kind.CODE),
        ),
    ),
)

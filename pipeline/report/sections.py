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
    """One table of the page. `name` is its anchor and its statement's file; `noun` counts its rows: (one, several);
    `pictures` stand above it."""

    name: str
    title: str
    lead: str
    empty: str
    noun: tuple[str, str]
    columns: tuple[Column, ...]
    pictures: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        return statement(self.name)


@cache
def statement(name: str) -> str:
    """The SQL of `statements/<name>.sql`, without a newline at its end."""
    return files("pipeline.report").joinpath("statements", f"{name}.sql").read_text(encoding="utf-8").rstrip()


SECTIONS = (
    Section(
        "turns",
        "What the last night changed",
        "Links judged otherwise than at the judgement before, however long ago that was: what died of its third"
        " failure, broke, was found broken when first asked, shuts us out, moved, or came back.",
        "No link was judged otherwise than before.",
        ("link", "links"),
        (
            Column("link", "Link", Kind.URL),
            Column("change", "Change", Kind.BADGE),
            Column("verdict_before", "Before", Kind.BADGE, "never judged"),
            Column("verdict", "Now", Kind.BADGE),
            Column("why", "Why", Kind.CODE),
            Column("night_before", "Judged before on", Kind.DATE),
            Column("places", "Places", Kind.NUMBER),
            Column("path", "First file", Kind.CODE),
        ),
    ),
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
        "refreshes",
        "Refreshes and nights",
        "What each refresh found in the archive, and how the links stood after its night. Unpublished is a refresh that"
        " failed, or one at work while this page was made.",
        "No refresh is recorded.",
        ("refresh", "refreshes"),
        (
            Column("day", "Refresh of", Kind.DATE),
            Column("outcome", "Outcome", Kind.BADGE),
            Column("files_seen", "Files", Kind.NUMBER),
            Column("files_accepted", "Changed", Kind.NUMBER),
            Column("files_rejected", "Rejected", Kind.NUMBER),
            Column("files_removed", "Removed", Kind.NUMBER),
            Column("mentions_out", "Mentions", Kind.NUMBER),
            Column("urls_checked", "Links asked", Kind.NUMBER),
            Column("broke", "Broke", Kind.NUMBER),
            Column("revived", "Revived", Kind.NUMBER),
            Column("broken", "Broken", Kind.NUMBER),
            Column("unjudged", "Not judged", Kind.NUMBER),
        ),
        ("links_by_night", "files_by_refresh"),
    ),
    Section(
        "survival",
        "Link survival",
        "How many of the links that were seen alive still are, and after how many days half of them had died. A link"
        " that lives counts for as long as it was watched.",
        "No link was seen alive yet.",
        ("group", "groups"),
        (
            Column("of", "Of", Kind.BADGE),
            Column("name", "Name", Kind.CODE),
            Column("links", "Links", Kind.NUMBER),
            Column("died", "Died", Kind.NUMBER),
            Column("days_watched", "Days watched", Kind.NUMBER),
            Column("survival", "Survival", Kind.SHARE),
            Column("half_life_days", "Half-life, days", Kind.NUMBER, "not reached"),
        ),
        ("survival_all", "survival_by_age"),
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
        ("outlet_health",),
    ),
    Section(
        "rot",
        "Link health by role and age",
        "What a link is for, and how old the item is that it belongs to. A link of two roles counts in both.",
        "No link stands in a current file.",
        ("group", "groups"),
        (
            Column("role", "Role", Kind.CODE),
            Column("age", "Age", Kind.TEXT),
            Column("links", "Links", Kind.NUMBER),
            Column("alive", "Alive", Kind.NUMBER),
            Column("broken", "Broken", Kind.NUMBER),
            Column("unjudged", "Not judged", Kind.NUMBER),
            Column("broken_share", "Broken share", Kind.SHARE),
        ),
        ("role_health",),
    ),
    Section(
        "leaders",
        "Who leads, who follows",
        "An outlet leads a story whose main item is its own, and joins one in which it is related to another’s. The"
        " three most frequent followers and leaders of each are named.",
        "No item names its provider.",
        ("outlet", "outlets"),
        (
            Column("outlet", "Outlet", Kind.TEXT),
            Column("domain", "Domain", Kind.CODE),
            Column("stories_led", "Led", Kind.NUMBER),
            Column("stories_followed_by_others", "Followed", Kind.NUMBER),
            Column("stories_joined", "Joined", Kind.NUMBER),
            Column("lead_share", "Share led", Kind.SHARE),
            Column("followers", "Followed by", Kind.TEXT),
            Column("leaders", "Follows", Kind.TEXT),
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
        "clusters",
        "Stories that hang together",
        "Stories that share articles, directly or through one another. Two that each list the other’s main item are a"
        " mutual listing.",
        "No two stories share an article.",
        ("cluster", "clusters"),
        (
            Column("hottest_title", "Hottest story", Kind.TEXT, "without a title"),
            Column("story_count", "Stories", Kind.NUMBER),
            Column("shared_article_count", "Shared articles", Kind.NUMBER),
            Column("mutual_count", "Mutual listings", Kind.NUMBER),
            Column("first_day", "From", Kind.DATE),
            Column("last_day", "To", Kind.DATE),
            Column("paths", "Files", Kind.PATHS),
        ),
        ("clusters_picture",),
    ),
    Section(
        "topics",
        "Topics of the last week",
        "Stories of each topic, and of those below it, in the last week that has any, against the week before.",
        "No story of known date is filed under a topic.",
        ("topic", "topics"),
        (
            Column("topic", "Topic", Kind.TEXT),
            Column("parent_topic", "Above it", Kind.TEXT),
            Column("week", "Week of", Kind.DATE),
            Column("stories", "Stories", Kind.NUMBER),
            Column("stories_before", "Week before", Kind.NUMBER),
            Column("change", "Change", Kind.NUMBER),
            Column("source", "Source", Kind.TEXT),
        ),
        ("topics_by_week",),
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
        "names",
        "Conflicting names",
        "Domains with several names, and articles that stories give several titles, times or providers. What the tables"
        " prefer is marked as shown.",
        "Everything goes by one name.",
        ("name", "names"),
        (
            Column("subject", "Of", Kind.CODE),
            Column("kind", "What", Kind.BADGE),
            Column("value", "Name", Kind.TEXT),
            Column("mentions", "Mentions", Kind.NUMBER),
            Column("shown", "Shown", Kind.TEXT),
            Column("path", "First file", Kind.CODE),
        ),
    ),
    Section(
        "lead_rule",
        "Heat that breaks the lead rule",
        "By the archive’s habit, heat is −1 where a related item outranks the main one, else quality + 10 × related"
        " items.",
        "Every heat follows the rule.",
        ("story", "stories"),
        (
            Column("path", "File", Kind.CODE),
            Column("title", "Title", Kind.TEXT, "without a title"),
            Column("violation", "What", Kind.BADGE),
            Column("heat", "Heat", Kind.NUMBER),
            Column("expected_heat", "By the rule", Kind.NUMBER),
            Column("quality", "Quality", Kind.NUMBER),
            Column("related_count", "Related", Kind.NUMBER),
            Column("top_related_quality", "Best related", Kind.NUMBER),
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
            Column("parts", "What changed", Kind.TEXT),
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

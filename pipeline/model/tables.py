"""The columns of every table, declared once: name, DuckDB type and meaning.

Used to check what the SQL yields, to write Parquet, to create and comment the DuckDB tables, for Dagster's column
schemas and for the data dictionary. What a relation is (its grain and its key) stands in its SQL file.
"""

from dataclasses import dataclass

from pipeline.model.logs import IMAGE, ITEM, duckdb_type


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `nullable` False is held by NOT NULL in the warehouse."""

    name: str
    type: str
    meaning: str
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A relation of the warehouse: `schema.name` and its columns in order."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    def definition(self) -> str:
        """The CREATE TABLE statement, with NOT NULL where nothing may be missing."""
        columns = ", ".join(
            f'"{column.name}" {column.type}{"" if column.nullable else " not null"}' for column in self.columns
        )
        return f"create table {self.full_name} ({columns})"

    def select_list(self) -> str:
        """The columns cast to their declared types, for a SELECT: it fails where a relation does not have them."""
        return ", ".join(f'"{column.name}"::{column.type} as "{column.name}"' for column in self.columns)


def _table(full_name: str, *columns: Column) -> Table:
    schema, _, name = full_name.partition(".")
    return Table(schema, name, columns)


def _key(name: str, type_: str, meaning: str) -> Column:
    return Column(name, type_, meaning, nullable=False)


_IMAGES = f"{duckdb_type(IMAGE)}[]"
_SOURCE = _key("source", "VARCHAR", "Name of the source in the settings")
_PATH = _key("path", "VARCHAR", "Path of the file inside its source")
_VERSION = _key("version_id", "UUID", "The meaning of the file it was read from; see coverage.document_versions")
_STORY = _key("story_id", "UUID", "The story; see coverage.stories")
_ARTICLE = _key("article_id", "UUID", "The article; see coverage.articles")
_URL = _key("url_id", "UUID", "The URL; see coverage.urls")
_POINTER = _key("pointer", "VARCHAR", "JSON pointer into the front matter; empty for the whole")
_PUBLISHED_AT = Column("published_at", "TIMESTAMPTZ", "When it was published, UTC")
_RECORD = (
    _key("state", "VARCHAR", "unknown | alive | failing | dead | blocked | insecure"),
    _key("strikes", "INTEGER", "Counted failures since it was last alive; three make it dead"),
    Column("last_strike", "DATE", "Night of the last of them"),
    Column("last_verdict", "VARCHAR", "The last verdict that was a judgement"),
    Column("last_night", "DATE", "The night of that verdict"),
    Column("first_alive", "DATE", "First night it was alive"),
    Column("last_alive", "DATE", "Last night it was alive"),
    Column("first_failed", "DATE", "First counted failure since it was last alive"),
    Column("died", "DATE", "Night of the third strike since it was last alive"),
    Column("revived", "DATE", "Last night on which it came back after a counted failure"),
    _key("flaps", "INTEGER", "How often it came back after a counted failure"),
    _key("nights_judged", "INTEGER", "Nights with a judgement"),
    _key("good_nights", "INTEGER", "Judgements in a row, up to the last, that it was alive"),
    Column("last_asked", "DATE", "Last night on which it was settled, with a judgement or without; not: postponed"),
)
"""What is known of a link after a night."""
_PRECISION = Column(
    "published_precision", "VARCHAR", "second | midnight | day | naive (no offset written, read as UTC)"
)

COVERAGE = (
    _table(
        "coverage.documents",
        _SOURCE,
        _PATH,
        _key("status", "VARCHAR", "accepted | rejected | skipped | removed"),
        Column("collection", "VARCHAR", "The archive's collection: news, learning, data …"),
        _key("version_id", "UUID", "The current meaning; of a removed file the last one it had"),
        Column("accepted_version_id", "UUID", "The meaning its story is told from: the last accepted one"),
        _key("is_stale", "BOOLEAN", "True where the file turned bad and the last accepted meaning is shown"),
        _key("seen_at", "TIMESTAMPTZ", "When the current status and meaning were first seen"),
        Column("sha256", "VARCHAR", "SHA-256 of the bytes when this meaning was first seen"),
        Column("semantic_sha256", "VARCHAR", "SHA-256 of the parsed content without the volatile keys"),
        Column("size_bytes", "BIGINT", "Size of the file when this meaning was first seen"),
        Column("format", "VARCHAR", "yaml | toml | json: how the front matter is written"),
        Column("title", "VARCHAR", "Title of the main item"),
        _key("issue_count", "INTEGER", "Problems found in it"),
        Column("body", "VARCHAR", "The text below the front matter"),
        Column(
            "item",
            duckdb_type(ITEM),
            "The main item as written, where the file is no story; a story's items are coverage.mentions",
        ),
        Column("related_length", "INTEGER", "Entries of the list related, items or not; null where there is no list"),
        Column("related", f"{duckdb_type(ITEM)}[]", "The related items as written, where the file is no story"),
    ),
    _table(
        "coverage.document_versions",
        _key("version_id", "UUID", "Id of the meaning: source, path and semantic hash"),
        _SOURCE,
        _PATH,
        _key("status", "VARCHAR", "accepted | rejected | skipped"),
        Column("sha256", "VARCHAR", "SHA-256 of the bytes when it was first seen"),
        Column("semantic_sha256", "VARCHAR", "SHA-256 of the parsed content without the volatile keys"),
        _key("first_seen_at", "TIMESTAMPTZ", "First refresh that saw this meaning, or commit that made it"),
        _key(
            "last_seen_at", "TIMESTAMPTZ", "Last refresh or commit of its source before another meaning took its place"
        ),
        _key("times_seen", "INTEGER", "How often the file came to this meaning"),
        Column("heat", "BIGINT", "The archive's heat of the story at that time"),
        Column("quality", "BIGINT", "The archive's quality of the main item at that time"),
        _key("related_count", "INTEGER", "Related items at that time"),
        _key("is_current", "BOOLEAN", "True where the file has this meaning now"),
    ),
    _table(
        "coverage.document_issues",
        _VERSION,
        _POINTER,
        _key("code", "VARCHAR", "What is wrong: a stable code"),
        _key("severity", "VARCHAR", "error (the file is not accepted) | warning | info"),
        Column("line", "INTEGER", "Line in the file, from 1"),
        Column("column", "INTEGER", "Column in the line, from 1"),
        Column("raw", "VARCHAR", "The value or the line as written"),
        Column("message", "VARCHAR", "What is wrong, in words"),
        _SOURCE,
        _PATH,
    ),
    _table(
        "coverage.leftovers",
        _VERSION,
        _POINTER,
        _key("value", "VARCHAR", "The value as JSON; what JSON lacks is tagged ($date, $datetime, $float …)"),
    ),
    _table(
        "coverage.stories",
        _key("story_id", "UUID", "Id of the story: source and path"),
        _SOURCE,
        _PATH,
        _VERSION,
        _key("lead_article_id", "UUID", "The article of the main item"),
        Column("category", "VARCHAR", "Category as written"),
        Column("title", "VARCHAR", "Title of the main item, cleaned"),
        _PUBLISHED_AT,
        _PRECISION,
        Column("heat", "BIGINT", "The archive's heat; -1 where a related item outranks the file"),
        Column("quality", "BIGINT", "The archive's quality of the main item"),
        _key("related_count", "INTEGER", "Related items listed"),
        _key("is_lead", "BOOLEAN", "True where related coverage follows it and none outranks it"),
        Column("published", "BOOLEAN", "The archive's own flag"),
        _key("is_stale", "BOOLEAN", "True where the file has turned bad since"),
    ),
    _table(
        "coverage.story_clusters",
        _STORY,
        _key("cluster_id", "UUID", "The smallest story id of the cluster, as text"),
        _key("story_count", "INTEGER", "Stories in the cluster; 1 where it shares no article"),
        _key("shared_article_count", "INTEGER", "Articles that stand in several stories of the cluster"),
    ),
    _table(
        "coverage.heat_history",
        _STORY,
        _key("seen_at", "TIMESTAMPTZ", "When the file came to this meaning: the time of a refresh, or of a commit"),
        _key("appearance", "INTEGER", "1 for the first meaning that was seen of the story, then one more each time"),
        _key("version_id", "UUID", "The meaning; see coverage.document_versions"),
        Column("replaced_at", "TIMESTAMPTZ", "When another meaning took its place, or it vanished; null while current"),
        Column("heat", "BIGINT", "The archive's heat of the story then"),
        Column("quality", "BIGINT", "The archive's quality of the main item then"),
        _key("related_count", "INTEGER", "Related items then"),
        Column("heat_change", "BIGINT", "Against the appearance before; null for the first"),
        Column("quality_change", "BIGINT", "Against the appearance before; null for the first"),
        Column("related_change", "INTEGER", "Against the appearance before; null for the first"),
    ),
    _table(
        "coverage.articles",
        _key("article_id", "UUID", "Id of the article: its identity URL"),
        _key("identity_url", "VARCHAR", "What the URL is about, whichever way it was written"),
        _key("is_identified", "BOOLEAN", "False where no usable URL was given: identity is domain, title and time"),
        Column("url_id", "UUID", "The URL to ask: of the best mention"),
        Column("title", "VARCHAR", "Best-known title, cleaned"),
        Column("excerpt", "VARCHAR", "Best-known excerpt, cleaned"),
        Column("type", "VARCHAR", "article, video …, as written"),
        _PUBLISHED_AT,
        _PRECISION,
        Column("quality", "BIGINT", "The archive's quality in the best mention"),
        Column("outlet_id", "UUID", "Who published it; see coverage.outlets"),
        Column("amp_url", "VARCHAR", "Its AMP form, from the key it stood under"),
        Column("cdn_amp_url", "VARCHAR", "Its AMP form on a cache, from the key it stood under"),
        _key("mention_count", "INTEGER", "Appearances in current files"),
        _key("story_count", "INTEGER", "Stories it appears in"),
    ),
    _table(
        "coverage.mentions",
        _key("mention_id", "UUID", "Id of the appearance: version and pointer"),
        _VERSION,
        _STORY,
        _ARTICLE,
        _key("role", "VARCHAR", "main | related"),
        _key("position", "INTEGER", "0 for the main item, then the related ones in order"),
        _POINTER,
        Column("title", "VARCHAR", "As written"),
        Column("clean_title", "VARCHAR", "The title with its entities undone once, in NFC, trimmed"),
        Column("excerpt", "VARCHAR", "As written"),
        Column("type", "VARCHAR", "As written"),
        _PUBLISHED_AT,
        _PRECISION,
        Column("quality", "BIGINT", "As written"),
        Column("heat", "BIGINT", "As written"),
        Column("web_url", "VARCHAR", "As written"),
        Column("original_url", "VARCHAR", "As written"),
        Column("amp_url", "VARCHAR", "As written"),
        Column("cdn_amp_url", "VARCHAR", "As written"),
        Column("provider_name", "VARCHAR", "As written"),
        Column("provider_domain", "VARCHAR", "As written"),
        Column("category", "VARCHAR", "As written"),
        Column("published", "BOOLEAN", "As written"),
        Column("featured_content", "VARCHAR", "As written"),
        Column("topics", "VARCHAR[]", "As written"),
        Column("images", _IMAGES, "As written"),
        _key("has_provider", "BOOLEAN", "True where a provider is written, be it an empty one"),
        Column("provider_images", _IMAGES, "As written"),
        Column("outlet_id", "UUID", "Who published it; see coverage.outlets"),
        Column("is_twice_escaped", "BOOLEAN", "An entity still stands in the title or excerpt after one undoing"),
    ),
    _table(
        "coverage.story_articles",
        _STORY,
        _ARTICLE,
        _key("role", "VARCHAR", "main | related"),
        _key("rank", "INTEGER", "First position in the story; 0 is the main item"),
        Column("quality", "BIGINT", "The archive's quality at that position"),
    ),
    _table(
        "coverage.outlets",
        _key("outlet_id", "UUID", "Id of the outlet: domain and name"),
        _key("domain", "VARCHAR", "Provider's domain, lower case"),
        _key("name", "VARCHAR", "Provider's name, cleaned"),
        _key("times_seen", "INTEGER", "Mentions under this name"),
        _key("is_preferred", "BOOLEAN", "The name this domain is best known under"),
        Column("logo_url", "VARCHAR", "Most seen logo, fetch form"),
    ),
    _table(
        "coverage.providers",
        _key("domain", "VARCHAR", "Provider's domain, lower case"),
        Column("name", "VARCHAR", "The organisation's name where the site has one, else the preferred one"),
        Column("preferred_name", "VARCHAR", "The name seen most often"),
        _key("name_count", "INTEGER", "Different names seen"),
        _key("times_seen", "INTEGER", "Mentions"),
        Column("organization_name", "VARCHAR", "Name in _data/organizations"),
        Column("description", "VARCHAR", "Description in _data/organizations"),
        Column("logo_url", "VARCHAR", "Logo, fetch form"),
    ),
    _table(
        "coverage.topics",
        _key("topic_id", "UUID", "Id of the topic: source and name"),
        _SOURCE,
        _key("name", "VARCHAR", "Name of the topic"),
        Column("parent_topic_id", "UUID", "The topic above it"),
        Column("parent_name", "VARCHAR", "Name of the topic above it, as _data/topics gives it"),
        Column("slug", "VARCHAR", "_id in _data/topics"),
        _key("is_defined", "BOOLEAN", "True where _data/topics describes it"),
        _key("story_count", "INTEGER", "Stories filed under it"),
    ),
    _table(
        "coverage.story_topics",
        _STORY,
        _key("topic_id", "UUID", "The topic; see coverage.topics"),
        _key("position", "INTEGER", "Place in the story's list, from 0"),
    ),
    _table(
        "coverage.images",
        _key("image_id", "UUID", "Id of the image: its fetch URL"),
        _URL,
        _key("fetch_url", "VARCHAR", "Fetch form of its URL"),
        Column("width", "INTEGER", "Width in pixels, as most often written"),
        Column("height", "INTEGER", "Height in pixels, as most often written"),
        Column("is_cached", "BOOLEAN", "True where any use says so"),
        _key("use_count", "INTEGER", "Places it stands in"),
    ),
    _table(
        "coverage.image_uses",
        _key("image_id", "UUID", "The image; see coverage.images"),
        _key("url_id", "UUID", "Its URL; see coverage.urls"),
        _VERSION,
        _POINTER,
        _key("owner_pointer", "VARCHAR", "JSON pointer to the item or provider that shows it"),
        _key("role", "VARCHAR", "image | provider_image"),
        _key("position", "INTEGER", "Place in its owner's list, from 0"),
        Column("width", "INTEGER", "As written"),
        Column("height", "INTEGER", "As written"),
        Column("is_cached", "BOOLEAN", "As written"),
        Column("title", "VARCHAR", "As written"),
    ),
    _table(
        "coverage.urls",
        _key("url_id", "UUID", "Id of the URL: its fetch form"),
        _key("fetch_url", "VARCHAR", "What is asked; of a URL with a problem, the text as written"),
        _key("identity_url", "VARCHAR", "What it is about"),
        _key("host", "VARCHAR", "Host, in ASCII; empty where there is a problem"),
        _key("registrable_domain", "VARCHAR", "The domain a registrant holds; the unit of pacing"),
        Column(
            "problem", "VARCHAR", "Why it cannot be asked: backslash | control_character | scheme_unsupported | invalid"
        ),
        _key("asked_as", "VARCHAR", "page (a ranged GET) | file (HEAD first): by the roles it stands in"),
        _key("use_count", "INTEGER", "Places it stands in"),
    ),
    _table(
        "coverage.url_uses",
        _URL,
        _VERSION,
        _key(
            "pointer",
            "VARCHAR",
            "JSON pointer into the front matter; of a use in the body `#L12C3`: line and column of the file",
        ),
        _key("role", "VARCHAR", "web | original | amp | cdn_amp | image | provider_image | body | other"),
        _key("raw", "VARCHAR", "As written"),
        _SOURCE,
        _PATH,
        Column("story_id", "UUID", "The story it stands in, where the file is one"),
        Column("mention_pointer", "VARCHAR", "JSON pointer to the appearance it belongs to, where the file is a story"),
        _key("has_userinfo", "BOOLEAN", "A user name or password was written into it; never sent"),
    ),
)

LINKS = (
    _table(
        "links.checks",
        _key("check_id", "UUID", "Id of the observation"),
        _URL,
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key("kind", "VARCHAR", "request | shared | guard | postponed | probe | control | archive"),
        Column("client", "VARCHAR", "libcurl | requests"),
        _key("hop", "INTEGER", "0 for the URL itself, then one more for each redirect followed"),
        _key("attempt", "INTEGER", "1 for the first request of this hop and client, then the retries"),
        _key("request_url", "VARCHAR", "The URL asked on this hop"),
        Column("method", "VARCHAR", "GET | HEAD"),
        _key("started_at", "TIMESTAMPTZ", "When the request started"),
        Column("http_status", "INTEGER", "Status of the answer"),
        Column("error_class", "VARCHAR", "What kept an answer from coming"),
        Column("error_detail", "VARCHAR", "The client's words for it, or why it was postponed"),
        Column("ip", "VARCHAR", "The address connected to"),
        Column("http_version", "VARCHAR", "1.0 | 1.1 | 2 | 3"),
        Column("redirect_to", "VARCHAR", "The redirect target"),
        Column("retry_after_seconds", "DOUBLE", "Retry-After of the answer"),
        Column("content_type", "VARCHAR", "Content-Type of the answer"),
        Column("bytes_read", "BIGINT", "Body bytes read"),
        Column("fingerprint", "VARCHAR", "Fingerprint of an HTML answer"),
        Column("title", "VARCHAR", "Title of an HTML answer"),
        Column("challenge", "VARCHAR", "The recognised challenge page"),
        Column("total_ms", "DOUBLE", "Milliseconds of the whole request"),
        Column("snapshot_url", "VARCHAR", "archive: the copy of the page that the web archive named"),
        Column("snapshot_at", "TIMESTAMPTZ", "archive: when that copy was taken"),
        _key("refresh_id", "VARCHAR", "The refresh that made it"),
    ),
    _table(
        "links.verdicts",
        _URL,
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key(
            "verdict",
            "VARCHAR",
            "alive | moved | soft_404 | gone | blocked | server_error | unreachable | insecure | malformed | refused"
            " | postponed",
        ),
        Column("signals", "VARCHAR[]", "The soft-404 signals that fired"),
        Column("confidence", "DOUBLE", "0 to 1: how sure the verdict is"),
        _key("clients_disagree", "BOOLEAN", "The two clients saw different things; the better one counts"),
        Column("http_status", "INTEGER", "Status of the last answer"),
        Column("error_class", "VARCHAR", "What kept an answer from coming"),
        Column("final_url", "VARCHAR", "Where the redirects ended"),
        Column("moved_permanently_to", "VARCHAR", "Target of the leading permanent redirects"),
        Column("hops", "INTEGER", "Redirects followed"),
        Column("title", "VARCHAR", "Title of the page"),
        Column("fingerprint", "VARCHAR", "Fingerprint of the page"),
        Column("check_ids", "VARCHAR[]", "The observations behind it, in order"),
        Column("checked_at", "TIMESTAMPTZ", "When it was last asked that night"),
    ),
    _table(
        "links.states",
        _URL,
        *_RECORD[:9],
        Column("death", "VARCHAR", "Of a dead link: page (others of its domain live) | domain (none does)"),
        *_RECORD[9:],
        Column(
            "remedy", "VARCHAR", "The best replacement known; links.remedies has them all, with reason and evidence"
        ),
    ),
    _table(
        "links.remedies",
        _URL,
        _key("rank", "INTEGER", "1 is the best replacement of this URL"),
        _key("replacement", "VARCHAR", "The URL that could stand in its place"),
        _key("reason", "VARCHAR", "moved_permanently | https_twin | same_article | archived"),
        _key("confidence", "DOUBLE", "0 to 1: how sure a reader gets there what the link was set to"),
        _key("night", "DATE", "The night on which the replacement answered, or the archive named it"),
        _key("check_ids", "VARCHAR[]", "The observations behind it; see links.checks"),
        Column("article_id", "UUID", "same_article: the article that both are forms of; see coverage.articles"),
        Column("snapshot_at", "TIMESTAMPTZ", "archived: when the copy was taken"),
    ),
    _table(
        "links.due",
        _URL,
        _key("fetch_url", "VARCHAR", "What to ask"),
        _key("registrable_domain", "VARCHAR", "The unit of pacing"),
        _key("asked_as", "VARCHAR", "page | file"),
        Column("problem", "VARCHAR", "Why it cannot be asked"),
        _key("reason", "VARCHAR", "never_asked | failing | due_again"),
        _key("priority", "INTEGER", "1 is asked first"),
    ),
)

REPORTS = (
    _table(
        "reports.dead_links",
        _URL,
        _key("fetch_url", "VARCHAR", "The link"),
        _key(
            "state", "VARCHAR", "failing until three strikes, then dead; blocked or insecure before a failure too early"
        ),
        _key("strikes", "INTEGER", "Counted failures since it was last alive"),
        _key("verdict", "VARCHAR", "gone | soft_404 | unreachable | server_error: the last judgement"),
        Column("http_status", "INTEGER", "Status of the last answer"),
        Column("error_class", "VARCHAR", "What kept an answer from coming"),
        Column("last_alive", "DATE", "Last night it was alive"),
        Column("first_failed", "DATE", "First counted failure since then"),
        Column("remedy", "VARCHAR", "The best replacement known; see links.remedies"),
        _SOURCE,
        _PATH,
        _VERSION,
        _POINTER,
        _key("role", "VARCHAR", "What the link is for, where it stands"),
        Column("story_title", "VARCHAR", "Title of the story it stands in"),
        _key("raw", "VARCHAR", "As written in the file"),
        _key("places", "INTEGER", "Places it stands in; of more than a hundred the first hundred are rows"),
    ),
    _table(
        "reports.link_health_by_outlet",
        _key("domain", "VARCHAR", "Registrable domain of the links"),
        Column("outlet", "VARCHAR", "Name of the provider"),
        _key("links", "INTEGER", "URLs of this domain in current files"),
        _key("alive", "INTEGER", "alive or moved in the last judgement"),
        _key("broken", "INTEGER", "gone, soft_404, server_error or unreachable in the last judgement"),
        _key("unjudged", "INTEGER", "blocked, insecure, refused, malformed, postponed or never asked"),
        Column("broken_share", "DOUBLE", "broken / (alive + broken)"),
    ),
    _table(
        "reports.link_rot",
        _key("domain", "VARCHAR", "Registrable domain of the links"),
        Column("outlet", "VARCHAR", "Name of the provider"),
        _key("role", "VARCHAR", "What the links are for, where they stand; see coverage.url_uses"),
        _key(
            "age",
            "VARCHAR",
            "under a month | under half a year | under a year | under two years | under five years"
            " | five years or more | unknown",
        ),
        _key("age_order", "INTEGER", "1 for the youngest age; unknown is 7"),
        _key("links", "INTEGER", "URLs of this domain, in this role, of this age"),
        _key("alive", "INTEGER", "alive or moved in the last judgement"),
        _key("broken", "INTEGER", "gone, soft_404, server_error or unreachable in the last judgement"),
        _key("unjudged", "INTEGER", "blocked, insecure, refused, malformed, postponed or never asked"),
        Column("broken_share", "DOUBLE", "broken / (alive + broken)"),
    ),
    _table(
        "reports.link_health_by_night",
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key("judged", "INTEGER", "Links judged that night"),
        _key("broke", "INTEGER", "Of these, those broken that were not before"),
        _key("revived", "INTEGER", "Of these, those alive that were broken before"),
        _key("alive", "INTEGER", "Links alive or moved by their last judgement until then"),
        _key("broken", "INTEGER", "Links gone, soft_404, server_error or unreachable by it"),
        _key("unjudged", "INTEGER", "The others: blocked, insecure, or not judged until then"),
    ),
    _table(
        "reports.links_changed_last_night",
        _URL,
        _key("fetch_url", "VARCHAR", "The link"),
        _key(
            "change",
            "VARCHAR",
            "died (third strike) | broke | found_broken (never judged before) | revived | moved | barred (blocked or"
            " insecure, was alive)",
        ),
        _key("verdict", "VARCHAR", "The judgement of the last night"),
        Column("verdict_before", "VARCHAR", "The judgement before; null where there was none"),
        _key("night", "DATE", "The last night"),
        Column("night_before", "DATE", "The night of the judgement before"),
        _key("state", "VARCHAR", "alive | failing | dead | blocked | insecure: over all nights"),
        _key("strikes", "INTEGER", "Counted failures since it was last alive"),
        Column("http_status", "INTEGER", "Status of the last answer"),
        Column("error_class", "VARCHAR", "What kept an answer from coming"),
        Column("final_url", "VARCHAR", "Where the redirects ended"),
        _key("domain", "VARCHAR", "Registrable domain of the link"),
        _key("places", "INTEGER", "Places it stands in"),
        _key("source", "VARCHAR", "Source of the first file it stands in"),
        _key("path", "VARCHAR", "Path of that file"),
    ),
    _table(
        "reports.link_survival",
        _key("grouping", "VARCHAR", "all | outlet | age"),
        _key("name", "VARCHAR", "all; a registrable domain; an age as in reports.link_rot, at the first good night"),
        _key("day", "INTEGER", "Days since a link was first seen alive"),
        _key("links", "INTEGER", "Links of the group"),
        _key("at_risk", "INTEGER", "Those of them that were known to live up to that day"),
        _key("died", "INTEGER", "Deaths on that day"),
        _key("survival", "DOUBLE", "Share of links that live beyond that day, estimated"),
        Column("survival_low", "DOUBLE", "Lower bound of 95 %; null before the first death and after the last link"),
        Column("survival_high", "DOUBLE", "Upper bound of 95 %; null before the first death and after the last link"),
        Column("half_life_days", "INTEGER", "Day by which half of the group has died; null where more still live"),
    ),
    _table(
        "reports.links_unjudged",
        _URL,
        _key("fetch_url", "VARCHAR", "The link"),
        _key("domain", "VARCHAR", "Registrable domain of the link"),
        _key("why", "VARCHAR", "never_asked | blocked | insecure | malformed | refused | postponed"),
        Column("cause", "VARCHAR", "The problem of the URL, the gatekeeper's name, or the error class"),
        Column("http_status", "INTEGER", "Status of the answer, where one came"),
        Column("detail", "VARCHAR", "The client's words, or why it was put off"),
        Column("night", "DATE", "The night of that; null where it was never asked"),
        _key("places", "INTEGER", "Places it stands in"),
        _key("source", "VARCHAR", "Source of the first file it stands in"),
        _key("path", "VARCHAR", "Path of that file"),
    ),
    _table(
        "reports.nights",
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key("sweeps", "INTEGER", "Sweeps of that night: one a refresh"),
        Column("void_reason", "VARCHAR", "Why the night does not count; null when it does"),
        _key("urls_due", "BIGINT", "URLs due, or chosen by a person"),
        _key("urls_checked", "BIGINT", "Those of them that were settled"),
        _key("urls_postponed", "BIGINT", "Those that were put off"),
        _key("postponed", "STRUCT(reason VARCHAR, urls INTEGER)[]", "Why they were, the most frequent reason first"),
        _key("requests", "BIGINT", "Requests made, hops, retries, probes and the archive included"),
        _key("second_opinions", "BIGINT", "Of these, by the second client"),
        _key("probes", "BIGINT", "Of these, for paths that cannot exist"),
        _key("archive_requests", "BIGINT", "Of these, to the web archive"),
        _key("repeated", "BIGINT", "Of these, not the first of their client and hop: retries, or GET after HEAD"),
        _key("hosts", "INTEGER", "Hosts asked"),
        _key("domains", "INTEGER", "Registrable domains asked"),
        _key("bytes_read", "BIGINT", "Bytes of bodies read"),
        _key("seconds", "DOUBLE", "From the first start to the last answer"),
        Column("pace_seconds", "DOUBLE", "links.pace_seconds of that night; null where an older version swept"),
        Column("least_gap_seconds", "DOUBLE", "The least time between two starts to one domain"),
        Column("least_gap_domain", "VARCHAR", "That domain"),
        _key("domains_closer", "INTEGER", "Domains asked at a smaller gap than the pace: exceptions of the settings"),
    ),
    _table(
        "reports.hosts_set_aside",
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key("host", "VARCHAR", "The host"),
        _key("reason", "VARCHAR", "retry_after | timeouts | no_such_name | dns_servfail | dns_timeout | skipped"),
        Column("domain", "VARCHAR", "Its registrable domain; null for a host that no link of the archive names"),
        Column("detail", "VARCHAR", "In words"),
        _key("urls", "INTEGER", "Due URLs that were settled or put off by it"),
    ),
    _table(
        "reports.articles_in_several_stories",
        _ARTICLE,
        Column("title", "VARCHAR", "Best-known title"),
        Column("outlet", "VARCHAR", "Who published it"),
        _key("identity_url", "VARCHAR", "What its URL is about"),
        _key("story_count", "INTEGER", "Stories it appears in"),
        _key("leads", "INTEGER", "Stories it is the main item of"),
        _key("paths", "VARCHAR[]", "Files of these stories"),
    ),
    _table(
        "reports.clusters_of_stories",
        _key("cluster_id", "UUID", "Id of the cluster: the smallest story id in it; see coverage.story_clusters"),
        Column("hottest_title", "VARCHAR", "Title of its story with the most heat"),
        _key("story_count", "INTEGER", "Stories in it"),
        _key("shared_article_count", "INTEGER", "Articles that stand in several of them"),
        _key("lead_listings", "INTEGER", "How often one of them lists the main item of another as related"),
        _key("mutual_count", "INTEGER", "Pairs of stories that list each other"),
        Column("heat", "BIGINT", "The most heat of a story in it"),
        Column("first_published_at", "TIMESTAMPTZ", "Its first main item"),
        Column("last_published_at", "TIMESTAMPTZ", "Its last main item"),
        _key("paths", "VARCHAR[]", "Files of these stories"),
        _key("mutual_listings", "STRUCT(path VARCHAR, other_path VARCHAR)[]", "Each pair that lists each other, once"),
    ),
    _table(
        "reports.leaders_and_followers",
        _key("domain", "VARCHAR", "Provider's domain"),
        Column("outlet", "VARCHAR", "Name of the provider"),
        _key("stories_led", "INTEGER", "Stories whose main item is its own"),
        _key("stories_followed_by_others", "INTEGER", "Of these, those with a related item of another outlet"),
        _key("stories_joined", "INTEGER", "Stories led by another outlet that it has a related item in"),
        Column("lead_share", "DOUBLE", "stories_led / (stories_led + stories_joined)"),
        _key("follower_count", "INTEGER", "Outlets that follow it"),
        _key("leader_count", "INTEGER", "Outlets that it follows"),
        _key("followed_by", "STRUCT(domain VARCHAR, stories INTEGER)[]", "Who follows it, and in how many stories"),
        _key("follows", "STRUCT(domain VARCHAR, stories INTEGER)[]", "Whom it follows, and in how many stories"),
    ),
    _table(
        "reports.coverage_lag",
        Column("topic", "VARCHAR", "Topic of the story; null for stories without"),
        _key("stories", "INTEGER", "Stories with related coverage of known time"),
        _key("related_items", "INTEGER", "Related items of known time"),
        Column("least_lag_hours", "DOUBLE", "Hours from the main item to the earliest related one; negative is before"),
        Column("p10_lag_hours", "DOUBLE", "The hours within which a tenth of the related items came"),
        Column("p25_lag_hours", "DOUBLE", "The hours within which a quarter of them came"),
        Column("median_lag_hours", "DOUBLE", "The hours within which half of them came"),
        Column("p75_lag_hours", "DOUBLE", "The hours within which three quarters of them came"),
        Column("p90_lag_hours", "DOUBLE", "The hours within which nine tenths of them came"),
        Column("most_lag_hours", "DOUBLE", "Hours to the last related item"),
        Column("share_before", "DOUBLE", "Share of related items published before the main one"),
    ),
    _table(
        "reports.name_conflicts",
        _key("kind", "VARCHAR", "provider_name | article_title | article_date | article_provider"),
        _key("subject", "VARCHAR", "A provider's domain, or an article's identity URL"),
        _key("value", "VARCHAR", "One of the names, titles, times (UTC; a date alone where none was known) or domains"),
        Column("article_id", "UUID", "The article, where it is one; see coverage.articles"),
        Column("is_shown", "BOOLEAN", "True for the value that coverage.articles or coverage.outlets prefers"),
        _key("mentions", "INTEGER", "Mentions that say so"),
        _key("value_count", "INTEGER", "Different values of this subject; two or more"),
        _key("source", "VARCHAR", "Source of the first file that says so"),
        _key("path", "VARCHAR", "Path of that file"),
    ),
    _table(
        "reports.topic_weeks",
        _key("topic_id", "UUID", "The topic; see coverage.topics"),
        _key("week", "DATE", "Monday of the week, UTC"),
        _SOURCE,
        _key("topic", "VARCHAR", "Name of the topic"),
        Column("parent_topic", "VARCHAR", "Name of the topic above it"),
        _key("stories", "INTEGER", "Stories filed under it or under a topic below it, each once"),
        _key("stories_filed", "INTEGER", "Stories filed under it itself"),
        Column("stories_before", "INTEGER", "Stories of the week before; null in the first week shown"),
        Column("change", "INTEGER", "Against the week before"),
    ),
    _table(
        "reports.lead_rule_violations",
        _STORY,
        _SOURCE,
        _PATH,
        Column("title", "VARCHAR", "Title of the main item"),
        _key(
            "violation",
            "VARCHAR",
            "heat_differs | leads_though_outranked (should be -1) | yields_though_not_outranked (should not be -1)",
        ),
        _key("heat", "BIGINT", "The archive's heat"),
        _key("expected_heat", "BIGINT", "What the rule makes it"),
        _key("quality", "BIGINT", "Quality of the main item"),
        _key("related_count", "INTEGER", "Related items listed"),
        Column("top_related_quality", "BIGINT", "The best quality among the related items"),
        Column("top_related_title", "VARCHAR", "Title of that item"),
    ),
    _table(
        "reports.changed_in_last_refresh",
        _SOURCE,
        _PATH,
        _key("change", "VARCHAR", "added | changed | rejected | skipped | removed | restored"),
        Column("title", "VARCHAR", "Title now, or the last known"),
        _key(
            "changed_parts",
            "VARCHAR[]",
            "What is another: title, excerpt, date, url, quality, heat, provider, topics, images, related, other, body;"
            " empty where there are not two accepted meanings to compare",
        ),
        Column("heat_before", "BIGINT", "Heat of the meaning before"),
        Column("heat_now", "BIGINT", "Heat now"),
        Column("related_before", "INTEGER", "Related items before"),
        Column("related_now", "INTEGER", "Related items now"),
        _key("seen_at", "TIMESTAMPTZ", "When the change was seen"),
    ),
)

OPS = (
    _table(
        "ops.refreshes",
        _key("refresh_id", "VARCHAR", "Id of the refresh: its time, then the start of its run id"),
        _key("started_at", "TIMESTAMPTZ", "When it started, by its clock"),
        _key("night", "DATE", "The night, a date in schedule.timezone"),
        _key("clock", "VARCHAR", "system, or given (--now)"),
        _key("outcome", "VARCHAR", "published | unpublished"),
        _key("rehearsal", "BOOLEAN", "A rehearsal web answered, not the world"),
        _key("files_seen", "BIGINT", "Files found"),
        _key("files_accepted", "BIGINT", "New meanings accepted"),
        _key("files_rejected", "BIGINT", "New meanings rejected"),
        _key("files_skipped", "BIGINT", "New files without front matter"),
        _key("files_unchanged", "BIGINT", "Files whose meaning did not change"),
        _key("files_removed", "BIGINT", "Files that vanished"),
        _key("files_parsed", "BIGINT", "Files that had to be parsed"),
        Column("mentions_in", "BIGINT", "Appearances in the log's current documents"),
        Column("mentions_out", "BIGINT", "Rows of coverage.mentions"),
        Column("urls_due", "BIGINT", "URLs due that night; null without a sweep"),
        Column("urls_checked", "BIGINT", "Due URLs with an observation"),
        Column("urls_postponed", "BIGINT", "Due URLs put off to another night"),
        Column("void_reason", "VARCHAR", "Why the night's links do not count"),
        _key("run_id", "VARCHAR", "Dagster's run"),
        _key("version", "VARCHAR", "Version of Newsledger"),
    ),
    _table(
        "ops.schema_changes",
        _SOURCE,
        _key("collection", "VARCHAR", "The archive's collection; empty for files in no folder"),
        _key("pointer", "VARCHAR", "Key path in the front matter: a JSON pointer with * for every list position"),
        _key(
            "type",
            "VARCHAR",
            "string | integer | number | boolean | timestamp | date | time | binary | set | list | mapping | null",
        ),
        _key("kind", "VARCHAR", "new_key (the path never stood in the collection) | new_type (never with this type)"),
        _key("types_before", "VARCHAR[]", "The types the path had before, in the order they came up"),
        _key("first_seen_at", "TIMESTAMPTZ", "When the path was first seen with this type"),
        _key("refresh_id", "VARCHAR", "The refresh that saw it; see ops.refreshes"),
        _key("path", "VARCHAR", "A file it was first seen in: of several the first by name"),
    ),
    _table(
        "ops.catalog",
        _key("relation", "VARCHAR", "Schema and name of a table; of a macro how it is called"),
        _key("schema", "VARCHAR", "coverage | links | reports | ops; main for macros"),
        _key("kind", "VARCHAR", "table | macro"),
        Column("grain", "VARCHAR", "What one row is"),
        Column("key", "VARCHAR", "The columns that name a row"),
        _key("description", "VARCHAR", "What it holds"),
        Column("sql_file", "VARCHAR", "The SQL that makes it; null for this one, which the publication makes"),
        Column("row_count", "BIGINT", "Rows; null for a macro"),
    ),
)

LINK_RECORDS = _table(
    "kept.link_records",
    _URL,
    *_RECORD,
    Column("page_title", "VARCHAR", "Title of the page on the last good night that had one; empty without a title"),
    Column("page_fingerprint", "VARCHAR", "Fingerprint of that page"),
)
"""Kept beside the tables from refresh to refresh: what is known of each link after the last closed night."""

TABLES: dict[str, Table] = {table.full_name: table for table in (*COVERAGE, *LINKS, *REPORTS, *OPS)}

"""The Arrow schemas of the three append-only logs.

Belongs here: names, types and meanings of the logs' columns. Times are UTC with microseconds; ids are UUIDs written as
text of 36 characters, since Delta has no UUID type.
"""

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")


def _field(name: str, type_: pa.DataType, meaning: str, nullable: bool = True) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"comment": meaning})


IMAGE = pa.struct(
    [
        pa.field("url", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("isCached", pa.bool_()),
        pa.field("title", pa.string()),
    ]
)

ITEM = pa.struct(
    [
        pa.field("category", pa.string()),
        pa.field("title", pa.string()),
        pa.field("excerpt", pa.string()),
        pa.field("publishedDateTime", TIMESTAMP),
        pa.field("publishedPrecision", pa.string()),
        pa.field("webUrl", pa.string()),
        pa.field("originalUrl", pa.string()),
        pa.field("ampWebUrl", pa.string()),
        pa.field("cdnAmpWebUrl", pa.string()),
        pa.field("type", pa.string()),
        pa.field("quality", pa.int64()),
        pa.field("heat", pa.int64()),
        pa.field("published", pa.bool_()),
        pa.field("featuredContent", pa.string()),
        pa.field("topics", pa.list_(pa.string())),
        pa.field("images", pa.list_(IMAGE)),
        pa.field(
            "provider",
            pa.struct(
                [
                    pa.field("name", pa.string()),
                    pa.field("domain", pa.string()),
                    pa.field("images", pa.list_(IMAGE)),
                ]
            ),
        ),
    ]
)
"""One appearance of an article: the main item of a file, or one of its related items, under the archive's own keys.
`publishedPrecision` is ours: second | midnight | day | naive (a time without an offset, read as UTC)."""

URL_USE = pa.struct([pa.field("pointer", pa.string()), pa.field("role", pa.string()), pa.field("raw", pa.string())])

LEFTOVER = pa.struct([pa.field("pointer", pa.string()), pa.field("value", pa.string())])

ISSUE = pa.struct(
    [
        pa.field("pointer", pa.string()),
        pa.field("code", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("line", pa.int32()),
        pa.field("column", pa.int32()),
        pa.field("raw", pa.string()),
        pa.field("message", pa.string()),
    ]
)

DOCUMENTS = pa.schema(
    [
        _field("source", pa.string(), "Name of the source in the settings", nullable=False),
        _field("path", pa.string(), "Path inside the source, with / between folders", nullable=False),
        _field("version_id", pa.string(), "Id of this meaning of this path", nullable=False),
        _field("status", pa.string(), "accepted | rejected | skipped | removed", nullable=False),
        _field("seen_at", TIMESTAMP, "When this meaning was seen", nullable=False),
        _field("refresh_id", pa.string(), "The refresh that saw it", nullable=False),
        _field("commit", pa.string(), "The commit it was read from; null where the source is no git repository"),
        _field("sha256", pa.string(), "SHA-256 of the file's bytes, hexadecimal"),
        _field("semantic_sha256", pa.string(), "SHA-256 of the parsed content without the volatile keys"),
        _field("size_bytes", pa.int64(), "Size of the file"),
        _field("format", pa.string(), "yaml | toml | json: how the front matter is written"),
        _field("collection", pa.string(), "The archive's collection: news, learning, data …"),
        _field("item", ITEM, "The main item, typed, as written"),
        _field("related", pa.list_(ITEM), "The related items, typed, in order"),
        _field("url_uses", pa.list_(URL_USE), "Every URL of the file: where it stands, in which role, as written"),
        _field("leftovers", pa.list_(LEFTOVER), "What the typed columns alone would not rebuild: pointer and JSON"),
        _field("issues", pa.list_(ISSUE), "Problems found in the file"),
        _field("body", pa.string(), "The text below the front matter"),
        _field("body_line", pa.int32(), "Line of the file on which the body begins, from 1"),
        _field("raw", pa.binary(), "The bytes of a file that was not accepted, capped"),
    ]
)

LINK_CHECKS = pa.schema(
    [
        _field("check_id", pa.string(), "Id of this observation", nullable=False),
        _field("night", pa.date32(), "The night, a date in schedule.timezone", nullable=False),
        _field("refresh_id", pa.string(), "The refresh that made it", nullable=False),
        _field("url_id", pa.string(), "The URL that was due", nullable=False),
        _field("kind", pa.string(), "request | shared | guard | postponed | probe | control | archive", nullable=False),
        _field("client", pa.string(), "libcurl | requests; null where no client was used"),
        _field("hop", pa.int32(), "0 for the URL itself, then one more for each redirect followed", nullable=False),
        _field(
            "attempt", pa.int32(), "1 for the first request of this hop and client, then the retries", nullable=False
        ),
        _field("request_url", pa.string(), "The URL asked on this hop", nullable=False),
        _field("method", pa.string(), "GET | HEAD"),
        _field("started_at", TIMESTAMP, "When the request started", nullable=False),
        _field("http_status", pa.int32(), "Status of the answer; null where none came"),
        _field("error_class", pa.string(), "One of the error classes of docs/links.md; null without error"),
        _field("error_detail", pa.string(), "The client's own words for the error, or why a URL was postponed"),
        _field("tls_verify", pa.int32(), "OpenSSL's verify result; 0 is good"),
        _field("ip", pa.string(), "The address connected to"),
        _field("ip_family", pa.int32(), "4 | 6"),
        _field("http_version", pa.string(), "1.0 | 1.1 | 2 | 3"),
        _field("redirect_to", pa.string(), "The absolute redirect target, as the answer named it"),
        _field("retry_after_seconds", pa.float64(), "Retry-After of the answer, in seconds"),
        _field("content_type", pa.string(), "Content-Type of the answer"),
        _field("content_length", pa.int64(), "Content-Length (or the total of Content-Range) of the answer"),
        _field("bytes_read", pa.int64(), "Body bytes read"),
        _field("fingerprint", pa.string(), "SHA-256 over the normalised first 16 KB, of HTML answers only"),
        _field("title", pa.string(), "The page's title, of HTML answers only"),
        _field("challenge", pa.string(), "Name of the recognised challenge page"),
        _field("etag", pa.string(), "ETag of the answer"),
        _field("last_modified", pa.string(), "Last-Modified of the answer"),
        _field("dns_ms", pa.float64(), "Milliseconds to resolve the name"),
        _field("connect_ms", pa.float64(), "Milliseconds to connect"),
        _field("tls_ms", pa.float64(), "Milliseconds of the TLS handshake"),
        _field("first_byte_ms", pa.float64(), "Milliseconds to the first byte of the answer"),
        _field("total_ms", pa.float64(), "Milliseconds of the whole request"),
        _field("shard", pa.int32(), "The shard of hosts that made it", nullable=False),
        _field("snapshot_url", pa.string(), "archive: the copy of the page that the web archive named"),
        _field("snapshot_at", TIMESTAMP, "archive: when that copy was taken"),
    ]
)

REFRESHES = pa.schema(
    [
        _field("refresh_id", pa.string(), "Id of the refresh: its time, then the start of its run id", nullable=False),
        _field(
            "event", pa.string(), "started | read | backfilled | swept | modelled | published | failed", nullable=False
        ),
        _field("happened_at", TIMESTAMP, "When, by the refresh's clock", nullable=False),
        _field("night", pa.date32(), "The night, a date in schedule.timezone", nullable=False),
        _field("clock", pa.string(), "system, or given (--now)", nullable=False),
        _field("run_id", pa.string(), "Dagster's run", nullable=False),
        _field("version", pa.string(), "Version of Newsledger", nullable=False),
        _field("rehearsal", pa.bool_(), "A rehearsal web answered, not the world", nullable=False),
        _field("source", pa.string(), "read, backfilled: the source"),
        _field("commit", pa.string(), "read, backfilled: the last commit taken in, of a git source"),
        _field("first_commit", pa.string(), "backfilled: the first commit taken in, on the way to the last"),
        _field("read_by", pa.string(), "backfilled: hash of the globs and rules that the files were read by"),
        _field("files_seen", pa.int64(), "read: files found in the source; backfilled: versions of files looked at"),
        _field("files_accepted", pa.int64(), "read, backfilled: new meanings accepted"),
        _field("files_rejected", pa.int64(), "read, backfilled: new meanings rejected"),
        _field("files_skipped", pa.int64(), "read, backfilled: new files without front matter"),
        _field("files_unchanged", pa.int64(), "read, backfilled: files whose meaning did not change"),
        _field("files_removed", pa.int64(), "read, backfilled: files that vanished"),
        _field("files_parsed", pa.int64(), "read: files that had to be parsed"),
        _field("mentions_in", pa.int64(), "modelled: appearances in the current documents of the log"),
        _field("mentions_out", pa.int64(), "modelled: rows of coverage.mentions"),
        _field("urls_due", pa.int64(), "swept: URLs due tonight"),
        _field("urls_checked", pa.int64(), "swept: due URLs with an observation"),
        _field("urls_postponed", pa.int64(), "swept: due URLs put off to another night"),
        _field("pace_seconds", pa.float64(), "swept: least time between two requests to one domain, exceptions aside"),
        _field("void_reason", pa.string(), "swept: why the night does not count; null when it does"),
        _field("warehouse", pa.string(), "published: file name of the warehouse"),
        _field("error", pa.string(), "failed: what went wrong"),
    ]
)

_DUCKDB = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    TIMESTAMP: "TIMESTAMPTZ",
}


def duckdb_type(type_: pa.DataType) -> str:
    """What DuckDB calls the type of a column of the logs."""
    if pa.types.is_struct(type_):
        return f"STRUCT({', '.join(f'{chr(34)}{field.name}{chr(34)} {duckdb_type(field.type)}' for field in type_)})"
    if pa.types.is_list(type_):
        return f"{duckdb_type(type_.value_type)}[]"
    return _DUCKDB[type_]

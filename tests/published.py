"""The published tables of the schema coverage, made of rows of the log alone, and what they say a file held."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.checks import blocks, checks_on
from pipeline.content import rebuild
from pipeline.coverage import input_providers, input_versions
from pipeline.lake.build import Builder
from pipeline.lake.session import open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.model.logs import REFRESHES
from pipeline.model.urls import SiteBase

_SITES: dict[str, SiteBase | None] = {"s": SiteBase("https://tidewatch.example", "/energy")}
_REFRESH = "create table this.refresh as select 'r' as refresh_id, '2021-06-03T02:00:00Z'::timestamptz as started_at"


@contextmanager
def published(rows: pa.Table, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The Parquet files that are made of these rows of the documents log, of source s, as views. No check that could
    stop a refresh fails."""
    with open_session("500MB", folder) as session:
        session.give("log.documents", rows)
        session.give("log.refreshes", REFRESHES.empty_table())
        session.run(_REFRESH)
        inputs = dict.fromkeys(("log.documents", "log.refreshes", "this.refresh"), "") | input_versions(_SITES)
        builder = Builder(session, Snapshots(folder), "r", inputs, input_providers(_SITES))
        files = {name: builder.snapshots.path(built.table) for name, built in builder.build("coverage").items()}
        for check in filter(blocks, checks_on("coverage")):
            assert builder.answer(check).num_rows == 0, check.name
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema coverage")
        for name, file in files.items():
            connection.execute(f"create view {name} as from read_parquet('{file}')")
        yield connection


_DOCUMENTS = """
select source, path, accepted_version_id::varchar as version_id, item, related_length, related
from coverage.documents
where accepted_version_id is not null
"""
_MENTIONS = """
select
    version_id::varchar as version_id,
    position,
    {
        'category': category, 'title': title, 'excerpt': excerpt, 'publishedDateTime': published_at,
        'publishedPrecision': published_precision, 'webUrl': web_url, 'originalUrl': original_url,
        'ampWebUrl': amp_url, 'cdnAmpWebUrl': cdn_amp_url, 'type': type, 'quality': quality, 'heat': heat,
        'published': published, 'featuredContent': featured_content, 'topics': topics, 'images': images,
        'provider': case
            when has_provider then { 'name': provider_name, 'domain': provider_domain, 'images': provider_images }
        end
    } as item
from coverage.mentions
"""
_LEFTOVERS = """
select version_id::varchar as version_id, list({ 'pointer': pointer, 'value': value } order by pointer) as leftovers
from coverage.leftovers
group by version_id
"""


def rebuilt_files(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[Any, Any]]:
    """The parsed mapping of each file that tells something now, by source and path."""
    connection.execute("set TimeZone = 'UTC'")
    documents, mentions, leftovers = (
        connection.sql(query).to_arrow_table().to_pylist() for query in (_DOCUMENTS, _MENTIONS, _LEFTOVERS)
    )
    kept = {row["version_id"]: row["leftovers"] for row in leftovers}
    items: dict[str, dict[int, Any]] = {}
    for row in mentions:
        items.setdefault(row["version_id"], {})[row["position"]] = row["item"]
    files = {}
    for row in documents:
        told = items.get(row["version_id"])
        if told:
            length = row["related_length"]
            row["item"] = told[0]
            row["related"] = None if length is None else [told.get(position) for position in range(1, length + 1)]
        row["leftovers"] = kept.get(row["version_id"])
        files[row["source"], row["path"]] = rebuild(row)
    return files

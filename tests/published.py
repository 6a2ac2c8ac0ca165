"""What the published tables of the schema coverage say a file held: nothing else is read."""

from typing import Any

import duckdb

from pipeline.content import rebuild

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

-- Every meaning a file has had, when it was first and last seen, and what the archive thought of the story then.
-- A meaning that came back (A, B, A) is one row, seen twice; one that a backfill and a refresh found was seen once.
-- grain: one meaning of a file
-- key: version_id
with

-- When a source was looked at as a whole: by a refresh, or at each commit of a backfill that changed something of it.
source_sightings as (
    select
        source,
        happened_at as seen_at
    from log.refreshes
    where event = 'read'
    union
    select
        documents.source,
        documents.seen_at
    from log.documents
    anti join log.refreshes
        on
            documents.refresh_id = refreshes.refresh_id
            and refreshes.event = 'started'
),

seen_until as (
    select
        spans.*,
        coalesce(greatest(spans.seen_at, source_sightings.seen_at), spans.seen_at) as last_seen_at
    from staging.spans
    asof left join source_sightings
        on
            spans.source = source_sightings.source
            and spans.replaced_at > source_sightings.seen_at
    where spans.status <> 'removed'
)

select
    version_id,
    source,
    path,
    arg_min(status, seen_at) as status,
    arg_min(sha256, seen_at) as sha256,
    arg_min(semantic_sha256, seen_at) as semantic_sha256,
    min(seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at,
    count(*) filter (is_arrival) as times_seen,
    arg_min(heat, seen_at) as heat,
    arg_min(quality, seen_at) as quality,
    arg_min(related_count, seen_at) as related_count,
    bool_or(replaced_at = 'infinity'::timestamptz) as is_current
from seen_until
group by version_id, source, path

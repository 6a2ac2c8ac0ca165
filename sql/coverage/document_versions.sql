-- Every meaning a file has had, when it was first and last seen, and what the archive thought of the story then.
-- A meaning that came back (A, B, A) is one row, seen twice.
-- grain: one meaning of a file
-- key: version_id
with

spans as (
    select
        source,
        path,
        version_id,
        status,
        sha256,
        semantic_sha256,
        seen_at,
        item.heat as heat,
        item.quality as quality,
        coalesce(len(list_filter(related, lambda entry : entry is not null)), 0) as related_count,
        coalesce(
            lead(seen_at) over (partition by source, path order by seen_at),
            'infinity'::timestamptz
        ) as replaced_at
    from log.documents
),

source_reads as (
    select
        source,
        happened_at
    from log.refreshes
    where event = 'read'
),

seen_until as (
    select
        spans.*,
        coalesce(greatest(spans.seen_at, source_reads.happened_at), spans.seen_at) as last_seen_at
    from spans
    asof left join source_reads
        on
            spans.source = source_reads.source
            and spans.replaced_at > source_reads.happened_at
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
    count(*) as times_seen,
    arg_min(heat, seen_at) as heat,
    arg_min(quality, seen_at) as quality,
    arg_min(related_count, seen_at) as related_count,
    bool_or(replaced_at = 'infinity'::timestamptz) as is_current
from seen_until
group by version_id, source, path

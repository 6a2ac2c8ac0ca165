-- Every time that a file came to a meaning, or vanished, and when the next one took its place.
-- grain: row of the documents log
-- key: source, path, seen_at
with

-- Counted first, or the lists themselves would go through the sorting.
counted as (
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
        coalesce(list_count(related), 0) as related_count
    from log.documents
)

select
    source,
    path,
    version_id,
    status,
    sha256,
    semantic_sha256,
    seen_at,
    heat,
    quality,
    related_count,
    coalesce(
        lag(version_id) over by_time <> version_id
        or lag(status) over by_time <> status,
        true
    ) as is_arrival,
    coalesce(lead(seen_at) over by_time, 'infinity'::timestamptz) as replaced_at
from counted
window by_time as (
    partition by source, path
    order by seen_at
)

-- Drift of the archive's own schema: a key path never seen before in a collection, or a type that one never had. What
-- the first sight of a collection shows is its baseline. A list position is * in a path, so that one new key of a
-- related item is one row; the types are those of the parsed values. Derived from all of history, files long gone too.
-- grain: source × collection × key path × type
-- key: source, collection, pointer, type
with

keys as (
    select * from staging.typed_keys
    union all by name
    select * from staging.leftover_keys
),

seen as (
    select
        source,
        collection,
        pointer,
        type,
        min({ 'seen_at': seen_at, 'refresh_id': refresh_id, 'path': path }) as first_seen
    from keys
    group by all
),

dated as (
    select
        *,
        min(first_seen.seen_at) over (partition by source, collection) as baseline_at,
        min(first_seen.seen_at) over (partition by source, collection, pointer) as key_seen_at
    from seen
)

select
    changes.source,
    changes.collection,
    changes.pointer,
    changes.type,
    case when changes.first_seen.seen_at = changes.key_seen_at then 'new_key' else 'new_type' end as kind,
    coalesce(
        list(before.type order by before.first_seen.seen_at, before.type) filter (before.type is not null), []
    ) as types_before,
    changes.first_seen.seen_at as first_seen_at,
    changes.first_seen.refresh_id as refresh_id,
    changes.first_seen.path as path
from dated as changes
left join dated as before
    on
        changes.source = before.source
        and changes.collection = before.collection
        and changes.pointer = before.pointer
        and changes.first_seen.seen_at > before.first_seen.seen_at
where changes.first_seen.seen_at > changes.baseline_at
group by all

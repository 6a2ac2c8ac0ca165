-- Every appearance in a speaking document: its main item and its related items, typed, as written.
-- grain: version × pointer
-- key: version_id, pointer
with

related_items as (
    select
        version_id,
        source,
        path,
        is_story,
        is_stale,
        seen_at,
        has_bare_related,
        unnest(related) as item,
        generate_subscripts(related, 1) as position
    from staging.accepted_documents
)

select
    version_id,
    source,
    path,
    is_story,
    is_stale,
    seen_at,
    'main' as role,
    0 as position,
    '' as pointer,
    item
from staging.accepted_documents
union all by name
select
    version_id,
    source,
    path,
    is_story,
    is_stale,
    seen_at,
    'related' as role,
    position,
    case when has_bare_related then '/related' else '/related/' || (position - 1)::varchar end as pointer,
    item
from related_items
where item is not null

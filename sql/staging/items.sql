-- Every appearance in a speaking document: its main item and its related items, typed, as written.
-- grain: version × pointer
-- key: version_id, pointer
with

related_items as (
    select
        version_id,
        has_bare_related,
        unnest(related) as item,
        generate_subscripts(related, 1) as position
    from staging.accepted_documents
),

all_items as (
    select
        version_id,
        'main' as role,
        0 as position,
        '' as pointer,
        item
    from staging.accepted_documents
    union all by name
    select
        version_id,
        'related' as role,
        position,
        case when has_bare_related then '/related' else '/related/' || (position - 1)::varchar end as pointer,
        item
    from related_items
    where item is not null
)

select
    all_items.version_id,
    documents.source,
    documents.path,
    documents.is_story,
    documents.is_stale,
    documents.seen_at,
    all_items.role,
    all_items.position,
    all_items.pointer,
    all_items.item
from all_items
inner join staging.accepted_documents as documents
    on all_items.version_id = documents.version_id

-- The documents that tell something now: each path's last accepted meaning, unless the file vanished or lost its front
-- matter. A file that turned bad keeps its last accepted meaning, marked stale. A meaning seen again keeps its first
-- row, with the time it was last taken up.
-- grain: source × path
-- key: source, path
with

speaking as (
    select
        source,
        path,
        last_accepted_version_id as version_id,
        status = 'rejected' as is_stale
    from staging.last_rows
    where
        status in ('accepted', 'rejected')
        and last_accepted_version_id is not null
)

select
    documents.source,
    documents.path,
    documents.version_id,
    speaking.is_stale,
    max(documents.seen_at) over (partition by documents.source, documents.path) as seen_at,
    documents.collection,
    (
        starts_with(documents.path, '_news/')
        or contains(documents.path, '/_news/')
        or lower(documents.item.category) = 'news'
    ) as is_story,
    documents.item,
    documents.related,
    documents.url_uses,
    documents.leftovers,
    documents.related is not null
    and coalesce(
        list_contains(list_transform(documents.issues, lambda issue : issue.code), 'related_not_a_list'), false
    ) as has_bare_related
from log.documents
inner join speaking
    on
        documents.source = speaking.source
        and documents.path = speaking.path
        and documents.version_id = speaking.version_id
where documents.status = 'accepted'
qualify row_number() over (
    partition by documents.source, documents.path
    order by documents.seen_at
) = 1

-- The documents that tell something now, with all they hold. A view: they are the log's widest rows, and whoever reads
-- them wants a few of their columns.
-- grain: source × path
-- key: source, path
-- kept: as a view
select
    documents.source,
    documents.path,
    documents.version_id,
    speaking_versions.story_id,
    speaking_versions.is_stale,
    speaking_versions.seen_at,
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
    documents.body,
    coalesce(documents.body_line, 1) as body_line,
    documents.related is not null
    and coalesce(
        list_contains(list_transform(documents.issues, lambda issue : issue.code), 'related_not_a_list'), false
    ) as has_bare_related
from log.documents
inner join staging.speaking_versions
    on
        documents.source = speaking_versions.source
        and documents.path = speaking_versions.path
        and documents.version_id = speaking_versions.version_id
        and documents.seen_at = speaking_versions.first_seen_at
where documents.status = 'accepted'

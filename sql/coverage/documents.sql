-- The current state of every file ever seen: accepted, rejected, skipped or removed.
-- grain: one file
-- key: source, path
select
    last_rows.source,
    last_rows.path,
    last_rows.status,
    log_rows.collection,
    last_rows.version_id,
    accepted.version_id as accepted_version_id,
    coalesce(accepted.is_stale, false) as is_stale,
    last_rows.seen_at,
    log_rows.sha256,
    log_rows.semantic_sha256,
    log_rows.size_bytes,
    log_rows.format,
    coalesce(titles.text, accepted.item.title) as title,
    coalesce(len(log_rows.issues), 0) as issue_count,
    log_rows.body,
    if(accepted.is_story, null, accepted.item) as item,
    len(accepted.related) as related_length,
    if(accepted.is_story, null, accepted.related) as related
from staging.last_rows
inner join log.documents as log_rows
    on
        last_rows.source = log_rows.source
        and last_rows.path = log_rows.path
        and last_rows.seen_at = log_rows.seen_at
left join staging.accepted_documents as accepted
    on
        last_rows.source = accepted.source
        and last_rows.path = accepted.path
left join forms.texts as titles
    on
        accepted.item.title = titles.raw
        and titles.role = 'title'

-- The documents that tell something now: each path's last accepted meaning, unless the file vanished or lost its front
-- matter. A file that turned bad keeps its last accepted meaning, marked stale. A meaning seen again keeps its first
-- row, with the time it was last taken up. Keys only: wide rows are joined back.
-- grain: source × path
-- key: source, path
select
    last_rows.source,
    last_rows.path,
    last_rows.last_accepted_version_id as version_id,
    content_id2('story', last_rows.source, last_rows.path) as story_id,
    any_value(last_rows.status) = 'rejected' as is_stale,
    min(documents.seen_at) as first_seen_at,
    max(documents.seen_at) as seen_at
from staging.last_rows
inner join log.documents
    on
        last_rows.source = documents.source
        and last_rows.path = documents.path
        and last_rows.last_accepted_version_id = documents.version_id
where
    last_rows.status in ('accepted', 'rejected')
    and documents.status = 'accepted'
group by last_rows.source, last_rows.path, last_rows.last_accepted_version_id

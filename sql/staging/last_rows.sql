-- The last thing seen of each path, and the last meaning of it that was accepted. Keys only: wide rows are joined back.
-- A row without a hash (the file was gone, or could not be read) has none here either: not the hash of an earlier row.
-- grain: source × path
-- key: source, path
select
    source,
    path,
    arg_max(status, seen_at) as status,
    arg_max(version_id, seen_at) as version_id,
    arg_max_null(semantic_sha256, seen_at) as semantic_sha256,
    arg_max_null(sha256, seen_at) as sha256,
    max(seen_at) as seen_at,
    arg_max(version_id, seen_at) filter (status = 'accepted') as last_accepted_version_id
from log.documents
group by source, path

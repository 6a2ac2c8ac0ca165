-- Every problem found in a file that still has it, and where in the file it stands. Where two cannot be told apart (a
-- key of JSON that stands three times with one value), they are one row.
-- grain: one problem of one meaning
-- key: version_id, pointer, code, line, column, raw, message
with

current_rows as (
    select
        documents.source,
        documents.path,
        documents.version_id,
        unnest(list_distinct(documents.issues)) as issue
    from log.documents
    inner join staging.last_rows
        on
            documents.source = last_rows.source
            and documents.path = last_rows.path
            and documents.seen_at = last_rows.seen_at
    where documents.status <> 'removed'
)

select
    version_id,
    issue.pointer as pointer,
    issue.code as code,
    issue.severity as severity,
    issue.line as line,
    issue.column as "column",
    issue.raw as raw,
    issue.message as message,
    source,
    path
from current_rows

-- Every problem found in a file that still has it, and where in the file it stands.
-- grain: one problem of one meaning
-- key: version_id, pointer, code, line, column
with

current_rows as (
    select
        documents.source,
        documents.path,
        documents.version_id,
        unnest(documents.issues) as issue
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

select
    concat_ws(':', path, line, document_issues.column) as place,
    source,
    severity,
    code,
    message,
    raw
from coverage.document_issues
where severity in ('error', 'warning')
order by severity, source, path, line, document_issues.column, code

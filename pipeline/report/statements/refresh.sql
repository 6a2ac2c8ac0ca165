select
    started_at,
    night,
    clock,
    rehearsal,
    files_seen,
    files_accepted,
    files_rejected,
    files_skipped,
    files_unchanged,
    files_removed,
    urls_due,
    urls_checked,
    urls_postponed,
    void_reason,
    version
from ops.refreshes
order by started_at desc
limit 1

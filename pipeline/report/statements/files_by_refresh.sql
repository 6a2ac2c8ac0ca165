select
    started_at,
    files_accepted,
    files_rejected,
    files_removed,
    files_seen,
    mentions_out
from ops.refreshes
where outcome = 'published'
qualify row_number() over (order by started_at desc) <= 60
order by started_at

select
    path,
    source,
    change,
    title,
    heat_before,
    heat_now,
    related_before,
    related_now
from reports.changed_in_last_refresh
order by change, source, path

select
    path,
    source,
    change,
    title,
    array_to_string(changed_parts, ', ') as parts,
    heat_before,
    heat_now,
    related_before,
    related_now
from reports.changed_in_last_refresh
order by change, source, path

select
    subject,
    kind,
    value,
    mentions,
    case when is_shown then 'shown' end as shown,
    path
from reports.name_conflicts
order by kind, subject, mentions desc, value

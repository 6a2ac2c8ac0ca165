select
    night,
    broken,
    unjudged,
    alive,
    broke,
    revived,
    judged
from reports.link_health_by_night
qualify row_number() over (order by night desc) <= 90
order by night

select
    domain,
    outlet,
    links,
    alive,
    broken,
    unjudged,
    broken_share
from reports.link_health_by_outlet
order by broken desc, broken_share desc, links desc, domain asc

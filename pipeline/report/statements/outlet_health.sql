select
    domain,
    alive,
    broken,
    unjudged,
    count(*) over () as domains
from reports.link_health_by_outlet
order by broken desc, broken_share desc, links desc, domain asc
limit 12

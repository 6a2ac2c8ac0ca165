select
    role,
    sum(alive) as alive,
    sum(broken) as broken,
    sum(unjudged) as unjudged,
    count(*) over () as roles
from reports.link_rot
group by role
order by sum(links) desc, role

select
    role,
    age,
    sum(links) as links,
    sum(alive) as alive,
    sum(broken) as broken,
    sum(unjudged) as unjudged,
    sum(broken) / nullif(sum(alive) + sum(broken), 0) as broken_share
from reports.link_rot
group by role, age, age_order
order by role, age_order

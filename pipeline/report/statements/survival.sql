select
    case grouping when 'all' then 'all links' when 'outlet' then 'domain' else 'age' end as of,
    name,
    max(links) as links,
    sum(died)::bigint as died,
    max(day) as days_watched,
    min(survival) as survival,
    any_value(half_life_days) as half_life_days
from reports.link_survival
group by
    grouping,
    name
order by
    grouping = 'all' desc,
    grouping,
    links desc,
    name

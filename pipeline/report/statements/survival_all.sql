select
    name,
    day,
    survival,
    survival_low,
    survival_high,
    at_risk,
    died
from reports.link_survival
where grouping = 'all'
order by day

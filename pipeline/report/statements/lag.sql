select
    topic,
    stories,
    related_items,
    median_lag_hours,
    p90_lag_hours,
    share_before
from reports.coverage_lag
order by related_items desc, topic asc

select
    topic,
    parent_topic,
    week,
    stories,
    stories_before,
    change,
    source
from reports.topic_weeks
where stories > 0 or change <> 0
qualify week = max(week) over (partition by source)
order by stories desc, change desc, topic asc, source asc

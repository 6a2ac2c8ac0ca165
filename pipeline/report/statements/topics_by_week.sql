with

recent as (
    select
        topic,
        week,
        sum(stories) as stories
    from reports.topic_weeks
    where week > (select max(week) from reports.topic_weeks) - 26 * 7
    group by
        topic,
        week
),

ranked as (
    select
        *,
        sum(stories) over (partition by topic) as all_stories
    from recent
),

placed as (
    select
        *,
        dense_rank() over (order by all_stories desc, topic asc) as place
    from ranked
)

select
    topic,
    week,
    stories,
    place,
    max(place) over () as topics
from placed
qualify place <= 12
order by
    place,
    week

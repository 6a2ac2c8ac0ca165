-- How many stories each topic had in each week, against the week before. A topic's stories are those filed under it or
-- under any topic below it, each once; weeks without a story are there, as 0. Weeks begin on Monday, UTC, and run from
-- the first story of the source to its last, ten years at most; stories without a date, or dated after the refresh, are
-- in no week.
-- grain: topic × week
-- key: topic_id, week
with recursive

-- A topic itself, and each one above it. A circle of parents ends where it meets what is known already.
lineage as (
    select
        topic_id,
        topic_id as above_id
    from coverage.topics
    union
    select
        lineage.topic_id,
        topics.parent_topic_id as above_id
    from lineage
    inner join coverage.topics
        on lineage.above_id = topics.topic_id
    where topics.parent_topic_id is not null
),

dated as (
    select
        stories.story_id,
        stories.source,
        date_trunc('week', stories.published_at)::date as week
    from coverage.stories
    cross join this.refresh
    where stories.published_at <= refresh.started_at
),

spans as (
    select
        source,
        greatest(min(week), max(week) - 7 * 519) as first_week,
        max(week) as last_week
    from dated
    group by source
),

weeks as (
    select
        source,
        unnest(generate_series(first_week, last_week, interval 7 days))::date as week
    from spans
),

filed as (
    select
        lineage.above_id as topic_id,
        dated.week,
        count(distinct dated.story_id) as stories,
        count(distinct dated.story_id) filter (lineage.above_id = lineage.topic_id) as stories_filed
    from dated
    inner join coverage.story_topics
        on dated.story_id = story_topics.story_id
    inner join lineage
        on story_topics.topic_id = lineage.topic_id
    group by
        lineage.above_id,
        dated.week
),

used_topics as (
    select
        topics.topic_id,
        topics.source,
        topics.name,
        topics.parent_name
    from coverage.topics
    semi join filed
        on topics.topic_id = filed.topic_id
)

select
    used_topics.topic_id,
    weeks.week,
    used_topics.source,
    used_topics.name as topic,
    used_topics.parent_name as parent_topic,
    coalesce(filed.stories, 0) as stories,
    coalesce(filed.stories_filed, 0) as stories_filed,
    lag(coalesce(filed.stories, 0)) over by_week as stories_before,
    coalesce(filed.stories, 0) - lag(coalesce(filed.stories, 0)) over by_week as change
from used_topics
inner join weeks
    on used_topics.source = weeks.source
left join filed
    on
        used_topics.topic_id = filed.topic_id
        and weeks.week = filed.week
window by_week as (
    partition by used_topics.topic_id
    order by weeks.week
)

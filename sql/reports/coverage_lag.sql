-- How long related coverage follows (or precedes) the main item of its story, by topic. Only times written to the
-- second count: a date alone says nothing about hours. A story of several topics counts in each; topics of one name in
-- several sources are one.
-- grain: topic
-- key: topic
with

lags as (
    select
        related.story_id,
        date_diff('second', main.published_at, related.published_at) / 3600.0 as lag_hours
    from coverage.mentions as related
    inner join coverage.mentions as main
        on
            related.story_id = main.story_id
            and main.role = 'main'
    where
        related.role = 'related'
        and related.published_precision in ('second', 'naive')
        and main.published_precision in ('second', 'naive')
)

select
    topics.name as topic,
    count(distinct lags.story_id) as stories,
    count(*) as related_items,
    min(lags.lag_hours) as least_lag_hours,
    quantile_cont(lags.lag_hours, 0.1) as p10_lag_hours,
    quantile_cont(lags.lag_hours, 0.25) as p25_lag_hours,
    quantile_cont(lags.lag_hours, 0.5) as median_lag_hours,
    quantile_cont(lags.lag_hours, 0.75) as p75_lag_hours,
    quantile_cont(lags.lag_hours, 0.9) as p90_lag_hours,
    max(lags.lag_hours) as most_lag_hours,
    count(*) filter (lags.lag_hours < 0) / count(*) as share_before
from lags
left join coverage.story_topics
    on lags.story_id = story_topics.story_id
left join coverage.topics
    on story_topics.topic_id = topics.topic_id
group by topics.name

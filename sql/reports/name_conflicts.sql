-- What the archive calls by several names: a provider's domain with several names, an article that its mentions give
-- several titles, several times or several providers. Each value with how often it is said and where first; what is
-- told one way only is not here. Titles are compared as people read them, entities undone and trimmed. A date alone
-- does not contradict a time of that day.
-- grain: subject × value
-- key: kind, subject, value
with

told_often as (
    select
        mentions.article_id,
        articles.identity_url,
        mentions.clean_title,
        mentions.published_at,
        mentions.published_precision in ('day', 'midnight') as is_day,
        mentions.outlet_id,
        articles.title as article_title,
        articles.published_at as article_published_at,
        articles.published_precision in ('day', 'midnight') as article_is_day,
        articles.outlet_id as article_outlet_id,
        { 'source': stories.source, 'path': stories.path } as place
    from coverage.mentions
    inner join coverage.articles
        on mentions.article_id = articles.article_id
    inner join coverage.stories
        on mentions.story_id = stories.story_id
    where articles.mention_count > 1
),

names as (
    select
        'provider_name' as kind,
        outlets.domain as subject,
        null::uuid as article_id,
        outlets.name as value,
        bool_or(outlets.is_preferred) as is_shown,
        count(*) as mentions,
        min({ 'source': stories.source, 'path': stories.path }) as first_place
    from coverage.mentions
    inner join coverage.outlets
        on mentions.outlet_id = outlets.outlet_id
    inner join coverage.providers
        on outlets.domain = providers.domain
    inner join coverage.stories
        on mentions.story_id = stories.story_id
    where providers.name_count > 1
    group by
        outlets.domain,
        outlets.name
),

titles as (
    select
        'article_title' as kind,
        identity_url as subject,
        article_id,
        clean_title as value,
        clean_title = any_value(article_title) as is_shown,
        count(*) as mentions,
        min(place) as first_place
    from told_often
    where clean_title <> ''
    group by
        identity_url,
        article_id,
        clean_title
),

times as (
    select
        article_id,
        identity_url,
        is_day,
        published_at,
        published_at::date as day,
        any_value(article_published_at) as article_published_at,
        any_value(article_is_day) as article_is_day,
        count(*) as mentions,
        min(place) as first_place
    from told_often
    where published_at is not null
    group by all
),

known_days as (
    select distinct
        article_id,
        day
    from times
    where not is_day
),

dates as (
    select
        'article_date' as kind,
        times.identity_url as subject,
        times.article_id,
        strftime(times.published_at, if(times.is_day, '%Y-%m-%d', '%Y-%m-%d %H:%M:%S')) as value,
        if(
            times.is_day or times.article_is_day,
            times.day = times.article_published_at::date,
            times.published_at = times.article_published_at
        ) as is_shown,
        times.mentions,
        times.first_place
    from times
    left join known_days
        on
            times.article_id = known_days.article_id
            and times.day = known_days.day
    where
        not times.is_day
        or known_days.day is null
),

domains as (
    select
        'article_provider' as kind,
        told_often.identity_url as subject,
        told_often.article_id,
        outlets.domain as value,
        outlets.domain = any_value(shown.domain) as is_shown,
        count(*) as mentions,
        min(told_often.place) as first_place
    from told_often
    inner join coverage.outlets
        on told_often.outlet_id = outlets.outlet_id
    left join coverage.outlets as shown
        on told_often.article_outlet_id = shown.outlet_id
    group by
        told_often.identity_url,
        told_often.article_id,
        outlets.domain
),

said as (
    select * from names
    union all
    select * from titles
    union all
    select * from dates
    union all
    select * from domains
)

select
    kind,
    subject,
    value,
    article_id,
    is_shown,
    mentions,
    count(*) over (partition by kind, subject) as value_count,
    first_place.source as source,
    first_place.path as path
from said
qualify value_count > 1

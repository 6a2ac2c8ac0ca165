-- A story as it is told: its main item and its related ones in order, who published each and how many hours after the
-- main one, in how many stories it stands, and what is known of its link. The file is named by its path, or by the end
-- of it from a slash on.
-- grain: one appearance
-- call: story(file)
select
    mentions.position,
    articles.title,
    outlets.name as outlet,
    mentions.published_at,
    round(date_diff('second', stories.published_at, mentions.published_at) / 3600.0, 1) as lag_hours,
    mentions.quality,
    articles.story_count,
    states.state,
    states.last_verdict,
    urls.fetch_url,
    stories.source,
    stories.path
from coverage.stories
inner join coverage.mentions
    on stories.story_id = mentions.story_id
inner join coverage.articles
    on mentions.article_id = articles.article_id
left join coverage.outlets
    on mentions.outlet_id = outlets.outlet_id
left join coverage.urls
    on articles.url_id = urls.url_id
left join links.states
    on articles.url_id = states.url_id
where
    stories.path = file
    or ends_with(stories.path, '/' || file)
order by
    stories.source,
    stories.path,
    mentions.position

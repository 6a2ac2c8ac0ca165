-- No story lists its own article as related.
-- on: coverage.mentions
-- severity: warn
-- message: A story lists its own article as related
select
    stories.source,
    stories.path,
    mentions.pointer,
    mentions.title
from coverage.mentions
inner join coverage.stories
    on
        mentions.story_id = stories.story_id
        and mentions.article_id = stories.lead_article_id
where mentions.role = 'related'

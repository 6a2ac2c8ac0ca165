-- No article stands twice in one list of related items.
-- on: coverage.mentions
-- severity: warn
-- message: An article stands several times in one list of related items
select
    stories.source,
    stories.path,
    list(mentions.pointer order by mentions.position) as pointers,
    any_value(mentions.title) as title
from coverage.mentions
inner join coverage.stories
    on mentions.story_id = stories.story_id
where mentions.role = 'related'
group by
    stories.source,
    stories.path,
    mentions.article_id
having count(*) > 1

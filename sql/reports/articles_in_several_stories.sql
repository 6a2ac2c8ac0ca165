-- Articles that stand in more than one story, and in which.
-- grain: article
-- key: article_id
select
    articles.article_id,
    articles.title,
    outlets.name as outlet,
    articles.identity_url,
    articles.story_count,
    count(*) filter (story_articles.role = 'main') as leads,
    list(stories.path order by stories.path) as paths
from coverage.articles
inner join coverage.story_articles
    on articles.article_id = story_articles.article_id
inner join coverage.stories
    on story_articles.story_id = stories.story_id
left join coverage.outlets
    on articles.outlet_id = outlets.outlet_id
where articles.story_count > 1
group by
    articles.article_id,
    articles.title,
    outlets.name,
    articles.identity_url,
    articles.story_count

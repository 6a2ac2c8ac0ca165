-- No two files of a source are led by one article.
-- on: coverage.stories
-- severity: warn
-- message: Several files tell the story of one article
select
    stories.source,
    articles.identity_url,
    list(stories.path order by stories.path) as paths
from coverage.stories
inner join coverage.articles
    on stories.lead_article_id = articles.article_id
group by
    stories.source,
    articles.identity_url
having count(*) > 1

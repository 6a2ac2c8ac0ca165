-- Every story is led by an article, every mention and every listing has its article.
-- on: coverage.articles
-- severity: error
-- blocking: yes
-- message: A row names no article of coverage.articles
select
    'coverage.stories.lead_article_id' as place,
    stories.lead_article_id as id,
    count(*) as times
from coverage.stories
anti join coverage.articles
    on stories.lead_article_id = articles.article_id
group by stories.lead_article_id
union all
select
    'coverage.mentions.article_id' as place,
    mentions.article_id as id,
    count(*) as times
from coverage.mentions
anti join coverage.articles
    on mentions.article_id = articles.article_id
group by mentions.article_id
union all
select
    'coverage.story_articles.article_id' as place,
    story_articles.article_id as id,
    count(*) as times
from coverage.story_articles
anti join coverage.articles
    on story_articles.article_id = articles.article_id
group by story_articles.article_id

-- Every story is led by an article.
-- on: coverage.stories
-- severity: error
-- blocking: yes
-- message: A story's lead_article_id names no article
select
    stories.story_id,
    stories.path,
    stories.lead_article_id
from coverage.stories
anti join coverage.articles
    on stories.lead_article_id = articles.article_id

-- Every row about a story has its story, every cluster is named by one.
-- on: coverage.stories
-- severity: error
-- blocking: yes
-- message: A row names no story of coverage.stories
select
    'coverage.mentions.story_id' as place,
    mentions.story_id as id,
    count(*) as times
from coverage.mentions
anti join coverage.stories
    on mentions.story_id = stories.story_id
group by mentions.story_id
union all
select
    'coverage.story_articles.story_id' as place,
    story_articles.story_id as id,
    count(*) as times
from coverage.story_articles
anti join coverage.stories
    on story_articles.story_id = stories.story_id
group by story_articles.story_id
union all
select
    'coverage.story_topics.story_id' as place,
    story_topics.story_id as id,
    count(*) as times
from coverage.story_topics
anti join coverage.stories
    on story_topics.story_id = stories.story_id
group by story_topics.story_id
union all
select
    'coverage.story_clusters.story_id' as place,
    story_clusters.story_id as id,
    count(*) as times
from coverage.story_clusters
anti join coverage.stories
    on story_clusters.story_id = stories.story_id
group by story_clusters.story_id
union all
select
    'coverage.story_clusters.cluster_id' as place,
    story_clusters.cluster_id as id,
    count(*) as times
from coverage.story_clusters
anti join coverage.stories
    on story_clusters.cluster_id = stories.story_id
group by story_clusters.cluster_id
union all
select
    'coverage.heat_history.story_id' as place,
    heat_history.story_id as id,
    count(*) as times
from coverage.heat_history
anti join coverage.stories
    on heat_history.story_id = stories.story_id
group by heat_history.story_id
union all
select
    'coverage.url_uses.story_id' as place,
    url_uses.story_id as id,
    count(*) as times
from coverage.url_uses
anti join coverage.stories
    on url_uses.story_id = stories.story_id
where url_uses.story_id is not null
group by url_uses.story_id

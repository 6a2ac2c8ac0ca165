-- Two stories that share an article are in one cluster, and a cluster counts its stories.
-- on: coverage.story_clusters
-- severity: error
-- blocking: yes
-- message: Stories that share an article are in different clusters, or a cluster is counted wrongly
with

clusters_of_articles as (
    select
        story_articles.article_id,
        min(story_clusters.cluster_id) as first_cluster,
        max(story_clusters.cluster_id) as last_cluster
    from coverage.story_articles
    inner join coverage.story_clusters
        on story_articles.story_id = story_clusters.story_id
    group by story_articles.article_id
)

select
    'article' as offender,
    article_id as id
from clusters_of_articles
where first_cluster <> last_cluster
union all
select
    'cluster' as offender,
    cluster_id as id
from coverage.story_clusters
group by cluster_id
having
    count(*) <> min(story_count)
    or count(*) <> max(story_count)
    or min(story_id) <> cluster_id
union all
select
    'story' as offender,
    stories.story_id as id
from coverage.stories
anti join coverage.story_clusters
    on stories.story_id = story_clusters.story_id

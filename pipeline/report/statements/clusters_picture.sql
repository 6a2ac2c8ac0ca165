with

largest as (
    select
        cluster_id,
        hottest_title,
        story_count,
        row_number() over (order by story_count desc, heat desc, cluster_id asc) as cluster,
        count(*) over () as clusters
    from reports.clusters_of_stories
    qualify cluster <= 6
),

hottest as (
    select
        largest.*,
        stories.story_id,
        stories.title,
        stories.path,
        stories.published_at
    from largest
    inner join coverage.story_clusters
        on largest.cluster_id = story_clusters.cluster_id
    inner join coverage.stories
        on story_clusters.story_id = stories.story_id
    qualify row_number() over (partition by largest.cluster order by stories.heat desc, stories.story_id asc) <= 16
),

placed as (
    select
        *,
        row_number() over (partition by cluster order by published_at asc, path asc, story_id asc) as place
    from hottest
),

listings as (
    select
        placed.cluster,
        placed.place,
        story_articles.article_id
    from placed
    inner join coverage.story_articles
        on placed.story_id = story_articles.story_id
),

pairs as (
    select
        earlier.cluster,
        earlier.place,
        later.place as later_place,
        count(*) as articles
    from listings as earlier
    inner join listings as later
        on
            earlier.cluster = later.cluster
            and earlier.article_id = later.article_id
            and earlier.place < later.place
    group by
        earlier.cluster,
        earlier.place,
        later.place
),

shared as (
    select
        cluster,
        place,
        list({ 'place': later_place, 'articles': articles } order by later_place) as shared_with
    from pairs
    group by
        cluster,
        place
)

select
    placed.cluster,
    placed.place,
    placed.title,
    placed.published_at::date as day,
    placed.path,
    coalesce(shared.shared_with, []) as shared_with,
    placed.hottest_title,
    placed.story_count,
    placed.clusters
from placed
left join shared
    on
        placed.cluster = shared.cluster
        and placed.place = shared.place
order by
    placed.cluster,
    placed.place

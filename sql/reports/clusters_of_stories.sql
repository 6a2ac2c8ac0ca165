-- Stories that hang together because they share articles, and which of them list each other: a mutual listing is two
-- stories that each have the other's main item among their related ones. Two files of one main item share it, and are
-- no mutual listing.
-- grain: cluster of two or more stories
-- key: cluster_id
with

listings as (
    select
        story_articles.story_id,
        listed.story_id as listed_story_id
    from coverage.story_articles
    inner join coverage.stories as listed
        on story_articles.article_id = listed.lead_article_id
    where
        story_articles.role = 'related'
        and story_articles.story_id <> listed.story_id
),

mutual as (
    select
        listings.story_id,
        listings.listed_story_id
    from listings
    inner join listings as returned
        on
            listings.story_id = returned.listed_story_id
            and listings.listed_story_id = returned.story_id
),

mutual_of_clusters as (
    select
        story_clusters.cluster_id,
        list({ 'path': one.path, 'other_path': other.path } order by one.path, other.path, one.source, other.source)
            as pairs
    from mutual
    inner join coverage.stories as one
        on mutual.story_id = one.story_id
    inner join coverage.stories as other
        on mutual.listed_story_id = other.story_id
    inner join coverage.story_clusters
        on mutual.story_id = story_clusters.story_id
    where row(one.path, one.source) < row(other.path, other.source)
    group by story_clusters.cluster_id
),

listings_of_clusters as (
    select
        story_clusters.cluster_id,
        count(*) as listings
    from listings
    inner join coverage.story_clusters
        on listings.story_id = story_clusters.story_id
    group by story_clusters.cluster_id
),

clusters as (
    select
        story_clusters.cluster_id,
        any_value(story_clusters.story_count) as story_count,
        any_value(story_clusters.shared_article_count) as shared_article_count,
        arg_min(stories.title, row(-coalesce(stories.heat, -1), stories.path, stories.source)) as hottest_title,
        max(stories.heat) as heat,
        min(stories.published_at) as first_published_at,
        max(stories.published_at) as last_published_at,
        list(stories.path order by stories.path, stories.source) as paths
    from coverage.story_clusters
    inner join coverage.stories
        on story_clusters.story_id = stories.story_id
    where story_clusters.story_count > 1
    group by story_clusters.cluster_id
)

select
    clusters.cluster_id,
    clusters.hottest_title,
    clusters.story_count,
    clusters.shared_article_count,
    coalesce(listings_of_clusters.listings, 0) as lead_listings,
    coalesce(len(mutual_of_clusters.pairs), 0) as mutual_count,
    clusters.heat,
    clusters.first_published_at,
    clusters.last_published_at,
    clusters.paths,
    coalesce(mutual_of_clusters.pairs, []) as mutual_listings
from clusters
left join listings_of_clusters
    on clusters.cluster_id = listings_of_clusters.cluster_id
left join mutual_of_clusters
    on clusters.cluster_id = mutual_of_clusters.cluster_id

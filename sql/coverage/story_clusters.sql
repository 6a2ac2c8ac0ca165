-- Which stories hang together: those that share an article, and those that share one with them, and so on. A story that
-- shares none is a cluster of its own. Each round a story takes the smallest label that is known two steps away, and
-- hands it to the story that its own label names: the labels of a chain of n stories meet in about log n rounds, and an
-- article of a thousand stories is a thousand rows, not a million pairs.
-- grain: one story
-- key: story_id
with recursive

shared_articles as (
    select article_id
    from coverage.story_articles
    group by article_id
    having count(*) > 1
),

-- Numbers in the order of the ids: the smallest number of a cluster is that of its smallest id.
listings as materialized (
    select
        story_articles.article_id,
        story_articles.story_id,
        dense_rank() over (order by story_articles.story_id) as story
    from coverage.story_articles
    semi join shared_articles
        on story_articles.article_id = shared_articles.article_id
),

labels (round, story, label, label_of_label, is_moving) as (
    select distinct
        0 as round,
        story,
        story as label,
        story as label_of_label,
        true as is_moving
    from listings
    union all
    (
        with

        lowest_of_articles as (
            select
                listings.article_id,
                min(labels.label_of_label) as lowest
            from listings
            inner join labels
                on listings.story = labels.story
            group by listings.article_id
        ),

        lowest_of_stories as (
            select
                listings.story,
                min(lowest_of_articles.lowest) as lowest
            from listings
            inner join lowest_of_articles
                on listings.article_id = lowest_of_articles.article_id
            group by listings.story
        ),

        lowest_handed_up as (
            select
                labels.label as story,
                min(lowest_of_stories.lowest) as lowest
            from labels
            inner join lowest_of_stories
                on labels.story = lowest_of_stories.story
            group by labels.label
        ),

        relabelled as (
            select
                labels.round + 1 as round,
                labels.story,
                labels.label as label_before,
                least(labels.label_of_label, lowest_of_stories.lowest, lowest_handed_up.lowest) as label
            from labels
            inner join lowest_of_stories
                on labels.story = lowest_of_stories.story
            left join lowest_handed_up
                on labels.story = lowest_handed_up.story
        )

        select
            relabelled.round,
            relabelled.story,
            relabelled.label,
            labelling.label as label_of_label,
            bool_or(
                relabelled.label <> relabelled.label_before
                or labelling.label <> relabelled.label
            ) over () as is_moving
        from relabelled
        inner join relabelled as labelling
            on relabelled.label = labelling.story
        where exists (
            select 1
            from labels
            where is_moving
        )
    )
),

settled as (
    select
        story,
        arg_max(label, round) as label
    from labels
    group by story
),

clusters as (
    select
        settled.label,
        min(listings.story_id) as cluster_id,
        count(distinct listings.story_id) as story_count,
        count(distinct listings.article_id) as shared_article_count
    from settled
    inner join listings
        on settled.story = listings.story
    group by settled.label
),

clustered as (
    select distinct
        listings.story_id,
        clusters.cluster_id,
        clusters.story_count,
        clusters.shared_article_count
    from listings
    inner join settled
        on listings.story = settled.story
    inner join clusters
        on settled.label = clusters.label
)

select
    stories.story_id,
    coalesce(clustered.cluster_id, stories.story_id) as cluster_id,
    coalesce(clustered.story_count, 1) as story_count,
    coalesce(clustered.shared_article_count, 0) as shared_article_count
from coverage.stories
left join clustered
    on stories.story_id = clustered.story_id

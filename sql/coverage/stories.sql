-- Each news file that tells something now, with the article that leads it.
-- grain: one news file
-- key: story_id
with

related_counts as (
    select
        story_id,
        count(*) as related_count
    from staging.mentions
    where role = 'related'
    group by story_id
)

select
    mentions.story_id,
    mentions.source,
    mentions.path,
    mentions.version_id,
    mentions.article_id as lead_article_id,
    mentions.category,
    mentions.title,
    mentions.published_at,
    mentions.published_precision,
    mentions.heat,
    mentions.quality,
    coalesce(related_counts.related_count, 0) as related_count,
    related_counts.related_count is not null and coalesce(mentions.heat, 0) >= 0 as is_lead,
    mentions.published,
    mentions.is_stale
from staging.mentions
left join related_counts
    on mentions.story_id = related_counts.story_id
where mentions.role = 'main'

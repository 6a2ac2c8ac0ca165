-- Related items stand in the order of their quality, the best first, as the archive sorts them.
-- on: coverage.mentions
-- severity: warn
-- message: A related item stands behind one of lower quality
with

rated as (
    select
        story_id,
        pointer,
        quality,
        lag(quality) over (partition by story_id order by position) as quality_before
    from coverage.mentions
    where
        role = 'related'
        and quality is not null
)

select
    stories.source,
    stories.path,
    rated.pointer,
    rated.quality_before,
    rated.quality
from rated
inner join coverage.stories
    on rated.story_id = stories.story_id
where rated.quality > rated.quality_before

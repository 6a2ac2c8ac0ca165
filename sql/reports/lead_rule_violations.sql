-- Stories whose heat is not what the archive's habit makes it: -1 where a related item outranks the main one, else
-- quality + 10 × related items. Equal quality does not outrank. A story without heat or quality cannot be held to it.
-- grain: one story
-- key: story_id
with

top_related as (
    select
        story_id,
        max(quality) as quality,
        arg_min(clean_title, row(-quality, position)) as title
    from coverage.mentions
    where
        role = 'related'
        and quality is not null
    group by story_id
),

ruled as (
    select
        stories.*,
        top_related.quality as top_related_quality,
        top_related.title as top_related_title,
        coalesce(top_related.quality > stories.quality, false) as is_outranked,
        if(
            coalesce(top_related.quality > stories.quality, false),
            -1,
            stories.quality + 10 * stories.related_count
        ) as expected_heat
    from coverage.stories
    left join top_related
        on stories.story_id = top_related.story_id
)

select
    story_id,
    source,
    path,
    title,
    case
        when is_outranked then 'leads_though_outranked'
        when heat = -1 then 'yields_though_not_outranked'
        else 'heat_differs'
    end as violation,
    heat,
    expected_heat,
    quality,
    related_count,
    top_related_quality,
    top_related_title
from ruled
where heat <> expected_heat

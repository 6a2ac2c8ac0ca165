-- Which topics a story is filed under, in its own order.
-- grain: story × topic
-- key: story_id, topic_id
with

unnested as (
    select
        story_id,
        source,
        unnest(topics) as raw,
        generate_subscripts(topics, 1) - 1 as position
    from staging.mentions
    where role = 'main'
),

named as (
    select
        unnested.story_id,
        unnested.source,
        unnested.position,
        coalesce(texts.text, unnested.raw) as name
    from unnested
    left join forms.texts
        on
            unnested.raw = texts.raw
            and texts.role = 'name'
)

select
    story_id,
    content_id2('topic', source, name) as topic_id,
    min(position) as position
from named
where name <> ''
group by
    story_id,
    source,
    name

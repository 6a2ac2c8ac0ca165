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
)

select
    unnested.story_id,
    content_id2('topic', unnested.source, texts.text) as topic_id,
    min(unnested.position) as position
from unnested
inner join forms.texts
    on unnested.raw = texts.raw
where texts.text <> ''
group by unnested.story_id, topic_id

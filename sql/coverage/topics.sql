-- Each topic of a source: used by a story, described in _data/topics, or named there as a parent.
-- grain: source × name
-- key: topic_id
with

used as (
    select
        mentions.source,
        coalesce(texts.text, mentions.raw) as name,
        count(distinct mentions.story_id) as story_count
    from (
        select
            source,
            story_id,
            unnest(topics) as raw
        from staging.mentions
        where role = 'main'
    ) as mentions
    left join forms.texts
        on
            mentions.raw = texts.raw
            and texts.role = 'name'
    where name <> ''
    group by mentions.source, name
),

defined as (
    select
        source,
        name,
        arg_min(parent_name, path) as parent_name,
        arg_min(slug, path) as slug
    from staging.definitions
    where
        taxonomy = 'topic'
        or starts_with(path, '_data/topics/')
        or contains(path, '/_data/topics/')
    group by source, name
),

all_names as (
    select
        source,
        name
    from used
    union
    select
        source,
        name
    from defined
    union
    select
        source,
        parent_name as name
    from defined
    where parent_name is not null
)

select
    content_id2('topic', all_names.source, all_names.name) as topic_id,
    all_names.source,
    all_names.name,
    case
        when defined.parent_name is not null then content_id2('topic', all_names.source, defined.parent_name)
    end as parent_topic_id,
    defined.parent_name,
    defined.slug,
    defined.name is not null as is_defined,
    coalesce(used.story_count, 0) as story_count
from all_names
left join used
    on
        all_names.source = used.source
        and all_names.name = used.name
left join defined
    on
        all_names.source = defined.source
        and all_names.name = defined.name

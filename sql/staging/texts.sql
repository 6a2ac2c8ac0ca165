-- The distinct texts that people read and that may be meant otherwise than they are written, by what they are: a title,
-- an excerpt, or the name of a provider, a topic or what else _data describes. Most texts are plain: all of them, made
-- distinct, would not fit into memory.
-- grain: role × text as written
-- key: role, raw
with

all_texts as (
    select
        'title' as role,
        raw_title as raw
    from staging.items
    union all
    select
        'excerpt' as role,
        raw_excerpt as raw
    from staging.items
    union all
    select
        'name' as role,
        raw_provider_name as raw
    from staging.items
    union all
    select
        'name' as role,
        unnest(topics) as raw
    from staging.items
    union all
    select
        'name' as role,
        from_json(value, '"VARCHAR"') as raw
    from staging.named_leftovers
)

select distinct
    role,
    raw
from all_texts
where needs_cleaning(raw)

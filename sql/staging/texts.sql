-- The distinct texts that people read: titles, excerpts, names of providers and topics.
-- grain: text as written
-- key: raw
with

all_texts as (
    select item.title as raw from staging.items
    union all
    select item.excerpt as raw from staging.items
    union all
    select item.provider.name as raw from staging.items
    union all
    select unnest(item.topics) as raw from staging.items
    union all
    select from_json(value, '"VARCHAR"') as raw from staging.named_leftovers
)

select distinct raw
from all_texts
where raw is not null

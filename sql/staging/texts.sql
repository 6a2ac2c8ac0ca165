-- The distinct texts that people read: titles, excerpts, names of providers and topics.
-- grain: text as written
-- key: raw
with

all_texts as (
    select raw_title as raw from staging.items
    union all
    select raw_excerpt as raw from staging.items
    union all
    select raw_provider_name as raw from staging.items
    union all
    select unnest(topics) as raw from staging.items
    union all
    select from_json(value, '"VARCHAR"') as raw from staging.named_leftovers
)

select distinct raw
from all_texts
where raw is not null

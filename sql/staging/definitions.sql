-- What _data says of topics and organisations: one row a defining file.
-- grain: version
-- key: version_id
with

named as (
    select
        named_leftovers.version_id,
        named_leftovers.source,
        named_leftovers.path,
        named_leftovers.item,
        named_leftovers.pointer,
        texts.text
    from staging.named_leftovers
    inner join forms.texts
        on from_json(named_leftovers.value, '"VARCHAR"') = texts.raw
)

select
    version_id,
    source,
    path,
    any_value(text) filter (pointer = '/taxonomy') as taxonomy,
    any_value(text) filter (pointer = '/_id') as slug,
    nullif(any_value(text) filter (pointer = '/name'), '') as name,
    nullif(any_value(text) filter (pointer = '/parent'), '') as parent_name,
    lower(any_value(text) filter (pointer = '/domain')) as domain,
    any_value(text) filter (pointer = '/description') as description,
    any_value(item.images[1].url) as logo_raw
from named
group by version_id, source, path
having name is not null

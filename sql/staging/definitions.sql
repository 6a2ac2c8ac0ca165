-- What _data says of topics and organisations: one row a defining file.
-- grain: version
-- key: version_id
with

written as (
    select
        version_id,
        source,
        path,
        item,
        pointer,
        from_json(value, '"VARCHAR"') as raw
    from staging.named_leftovers
),

named as (
    select
        written.version_id,
        written.source,
        written.path,
        written.item,
        written.pointer,
        coalesce(texts.text, written.raw) as text
    from written
    left join forms.texts
        on
            written.raw = texts.raw
            and texts.role = 'name'
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

-- The key paths of what the typed columns do not hold, over all of history, walked into to the last value. The type is
-- that of the JSON text, with the tags of pipeline/content/values.py understood: the text is canonical, so its first
-- signs tell. Where related is one bare mapping, its leftover holds all of it, and those of its parts say nothing more.
-- grain: source × collection × time seen × key path × type
-- key: source, collection, seen_at, pointer, type
with recursive

documents as (
    select
        source,
        coalesce(collection, '') as collection,
        seen_at,
        refresh_id,
        path,
        list_contains(list_transform(leftovers, lambda leftover : leftover.pointer), '/related') as is_related_whole,
        unnest(leftovers) as leftover
    from log.documents
    where status = 'accepted'
),

noted as (
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        -- The only lists that a leftover's pointer leads through are those that have columns.
        regexp_replace(
            regexp_replace(leftover.pointer, '^/related/[0-9]+', '/related/*'),
            '^((/related/\*)?(/provider)?/(images|topics))/[0-9]+',
            '\1/*'
        ) as pointer,
        leftover.value as value
    from documents
    where not (is_related_whole and starts_with(leftover.pointer, '/related/'))
),

walked as (
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        pointer,
        value
    from noted
    where value[1] in ('[', '{')
    union all
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        pointer || '/' || replace(replace(child.key, '~', '~0'), '/', '~1') as pointer,
        child.value as value
    from (
        select
            source,
            collection,
            seen_at,
            refresh_id,
            path,
            pointer,
            unnest(
                case
                    when value[1] = '['
                        then list_transform(
                            from_json(value, '["JSON"]'),
                            lambda element : { 'key': '*', 'value': element }
                        )
                    when starts_with(value, '{"$map":')
                        then list_transform(
                            from_json(value, '{"$map": [["JSON"]]}')."$map",
                            lambda pair : {
                                'key': coalesce(json_extract_string(pair[1], '$'), 'null'),
                                'value': pair[2]
                            }
                        )
                    when not starts_with(value, '{"$')
                        then list_transform(
                            map_entries(from_json(value, '"MAP(VARCHAR, JSON)"')),
                            lambda entry : { 'key': entry.key, 'value': entry.value }
                        )
                end
            ) as child
        from walked
        where value[1] in ('[', '{')
    ) as children
),

everything as (
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        pointer,
        value
    from noted
    union all
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        pointer,
        value
    from walked
)

select
    source,
    collection,
    seen_at,
    pointer,
    case
        when value is null or value = 'null' then 'null'
        when value[1] = '"' then 'string'
        when value[1] in ('t', 'f') then 'boolean'
        when value[1] = '[' then 'list'
        when starts_with(value, '{"$datetime":') then 'timestamp'
        when starts_with(value, '{"$date":') then 'date'
        when starts_with(value, '{"$time":') then 'time'
        when starts_with(value, '{"$binary":') then 'binary'
        when starts_with(value, '{"$set":') then 'set'
        when starts_with(value, '{"$float":') then 'number'
        when value[1] = '{' then 'mapping'
        when regexp_matches(value, '[.eE]') then 'number'
        else 'integer'
    end as type,
    min(refresh_id) as refresh_id,
    min(path) as path
from everything
group by all

-- The untyped keys that name topics and organisations, of the files of _data that define them.
-- grain: version × pointer
-- key: version_id, pointer
with

unnested as (
    select
        version_id,
        source,
        path,
        item,
        unnest(leftovers) as leftover
    from staging.accepted_documents
    where
        starts_with(path, '_data/')
        or contains(path, '/_data/')
)

select
    version_id,
    source,
    path,
    item,
    leftover.pointer as pointer,
    leftover.value as value
from unnested
where
    leftover.pointer in ('/taxonomy', '/_id', '/name', '/parent', '/domain', '/description')
    and starts_with(leftover.value, '"')

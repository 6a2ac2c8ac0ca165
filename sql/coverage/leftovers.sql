-- What the typed columns alone would not rebuild of a current file: keys without a column, and values as written where
-- a column could not hold them. In the order of their pointers, each put over what the columns gave, they rebuild the
-- parsed mapping.
-- grain: one key of one meaning
-- key: version_id, pointer
with

unnested as (
    select
        version_id,
        unnest(list_distinct(leftovers)) as leftover
    from staging.accepted_documents
)

select
    version_id,
    leftover.pointer as pointer,
    leftover.value as value
from unnested

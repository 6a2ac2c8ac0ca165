-- No key path and no type is new in its collection since the last published refresh: whoever reads its tables should
-- hear of a key that came up, or of a value that is written in another way. Before the first, all is the baseline.
-- on: ops.schema_changes
-- severity: warn
-- message: The archive's schema drifted: keys or types that a collection never had before
with

last_published as (
    select max(refresh_id) filter (event = 'published') as refresh_id
    from log.refreshes
)

select
    changes.source,
    changes.collection,
    changes.kind,
    changes.pointer,
    changes.type,
    changes.types_before,
    changes.path
from ops.schema_changes as changes
cross join last_published
where changes.refresh_id > last_published.refresh_id
order by
    changes.source asc,
    changes.collection asc,
    changes.pointer asc,
    changes.type asc

-- What the last refresh found changed: files added, changed, turned bad, vanished or come back, with heat and number of
-- related items before and now.
-- grain: one file
-- key: source, path
with

rows_of_files as (
    select
        source,
        path,
        seen_at,
        refresh_id,
        status,
        item.title as title,
        item.heat as heat,
        coalesce(len(list_filter(related, lambda entry : entry is not null)), 0) as related_count
    from log.documents
),

meanings as (
    select
        source,
        path,
        seen_at,
        refresh_id,
        status,
        heat,
        related_count,
        last_value(title ignore nulls) over earlier as last_title,
        lag(status) over earlier as status_before,
        lag(heat) over earlier as heat_before,
        lag(related_count) over earlier as related_before
    from rows_of_files
    window earlier as (
        partition by source, path
        order by seen_at
    )
)

select
    meanings.source,
    meanings.path,
    case
        when meanings.status in ('rejected', 'skipped', 'removed') then meanings.status
        when meanings.status_before is null then 'added'
        when meanings.status_before = 'removed' then 'restored'
        else 'changed'
    end as change,
    meanings.last_title as title,
    meanings.heat_before,
    meanings.heat as heat_now,
    meanings.related_before,
    meanings.related_count as related_now,
    meanings.seen_at
from meanings
inner join this.refresh
    on meanings.refresh_id = refresh.refresh_id

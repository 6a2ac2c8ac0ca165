-- What the last refresh found changed: files added, changed, turned bad, vanished or come back, with heat and number of
-- related items before and now.
-- grain: one file
-- key: source, path
with

meanings as (
    select
        documents.source,
        documents.path,
        documents.seen_at,
        documents.refresh_id,
        documents.status,
        documents.item.title as title,
        documents.item.heat as heat,
        coalesce(len(documents.related), 0) as related_count,
        lag(documents.status) over earlier as status_before,
        lag(documents.item.title) over earlier as title_before,
        lag(documents.item.heat) over earlier as heat_before,
        lag(coalesce(len(documents.related), 0)) over earlier as related_before
    from log.documents
    window earlier as (
        partition by documents.source, documents.path
        order by documents.seen_at
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
    coalesce(meanings.title, meanings.title_before) as title,
    meanings.heat_before,
    meanings.heat as heat_now,
    meanings.related_before,
    meanings.related_count as related_now,
    meanings.seen_at
from meanings
inner join this.refresh
    on meanings.refresh_id = refresh.refresh_id

-- What the last refresh found changed: files added, changed, turned bad, vanished or come back; which parts of their
-- meaning are others now, and heat and number of related items before and now. Volatile keys are no part of a meaning.
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
        lag(seen_at) over earlier as seen_before,
        lag(status) over earlier as status_before,
        lag(heat) over earlier as heat_before,
        lag(related_count) over earlier as related_before
    from rows_of_files
    window earlier as (
        partition by source, path
        order by seen_at
    )
),

changes as (
    select
        meanings.*,
        case
            when meanings.status in ('rejected', 'skipped', 'removed') then meanings.status
            when meanings.status_before is null then 'added'
            when meanings.status_before = 'removed' then 'restored'
            else 'changed'
        end as change
    from meanings
    inner join this.refresh
        on meanings.refresh_id = refresh.refresh_id
),

-- The wide rows, of the few files that have two meanings to compare: the log is read once for both.
wide as materialized (
    select
        documents.*,
        documents.seen_at = changes.seen_at as is_now
    from log.documents
    inner join changes
        on
            documents.source = changes.source
            and documents.path = changes.path
            and documents.seen_at in (changes.seen_at, changes.seen_before)
    where
        changes.change = 'changed'
        and changes.status_before = 'accepted'
),

compared as (
    select
        now.source,
        now.path,
        list_filter(
            [
                case when now.item.title is distinct from before.item.title then 'title' end,
                case when now.item.excerpt is distinct from before.item.excerpt then 'excerpt' end,
                case
                    when now.item.publisheddatetime is distinct from before.item.publisheddatetime then 'date'
                end,
                case
                    when
                        now.item.weburl is distinct from before.item.weburl
                        or now.item.originalurl is distinct from before.item.originalurl
                        or now.item.ampweburl is distinct from before.item.ampweburl
                        or now.item.cdnampweburl is distinct from before.item.cdnampweburl
                        then 'url'
                end,
                case when now.item.quality is distinct from before.item.quality then 'quality' end,
                case when now.item.heat is distinct from before.item.heat then 'heat' end,
                case when now.item.provider is distinct from before.item.provider then 'provider' end,
                case when now.item.topics is distinct from before.item.topics then 'topics' end,
                case when now.item.images is distinct from before.item.images then 'images' end,
                case when now.related is distinct from before.related then 'related' end,
                case
                    when
                        now.item.category is distinct from before.item.category
                        or now.item.type is distinct from before.item.type
                        or now.item.published is distinct from before.item.published
                        or now.item.featuredcontent is distinct from before.item.featuredcontent
                        or list_filter(
                            now.leftovers,
                            lambda leftover : not list_contains(refresh.volatile_pointers, leftover.pointer)
                        )
                        is distinct from list_filter(
                            before.leftovers,
                            lambda leftover : not list_contains(refresh.volatile_pointers, leftover.pointer)
                        )
                        then 'other'
                end,
                case when now.body is distinct from before.body then 'body' end
            ],
            lambda part : part is not null
        ) as parts
    from wide as now
    inner join wide as before
        on
            now.source = before.source
            and now.path = before.path
            and now.is_now
            and not before.is_now
    cross join this.refresh
)

select
    changes.source,
    changes.path,
    changes.change,
    changes.last_title as title,
    coalesce(compared.parts, []) as changed_parts,
    changes.heat_before,
    changes.heat as heat_now,
    changes.related_before,
    changes.related_count as related_now,
    changes.seen_at
from changes
left join compared
    on
        changes.source = compared.source
        and changes.path = compared.path

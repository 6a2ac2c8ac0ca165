-- Each URL once, as it is written in one of its places, and what is known of all of them. Narrow rows are gathered, and
-- the texts joined back: no text goes through an aggregate.
-- grain: URL
-- key: url_id
with

firsts as (
    select
        url_id,
        min(rowid) as first_row,
        bool_and(role in ('image', 'provider_image')) as is_only_shown,
        count(*) as use_count
    from staging.url_uses
    group by url_id
)

select
    url_uses.url_id,
    url_uses.role,
    url_uses.source,
    url_uses.raw,
    url_uses.is_plain,
    firsts.is_only_shown,
    firsts.use_count
from staging.url_uses
inner join firsts
    on url_uses.rowid = firsts.first_row

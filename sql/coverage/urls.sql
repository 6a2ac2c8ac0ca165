-- Each URL of the current files once, in the form in which it is asked. Images, and what ends like a file, are asked
-- with HEAD first; pages with a ranged GET, since a soft 404 shows only in the body.
-- grain: fetch URL
-- key: url_id
with

-- One row of each URL's: narrow, so that no wide row goes through an aggregate.
firsts as (
    select
        url_id,
        min(rowid) as first_row
    from forms.urls
    group by url_id
),

uses as (
    select
        url_id,
        bool_and(role in ('image', 'provider_image')) as is_only_shown,
        count(*) as use_count
    from coverage.url_uses
    group by url_id
)

select
    urls.url_id,
    urls.fetch_url,
    urls.identity_url,
    urls.host,
    urls.registrable_domain,
    urls.problem,
    case
        when
            uses.is_only_shown
            or regexp_matches(
                urls.fetch_url,
                '^[^?]*\.(jpe?g|png|gif|webp|avif|svg|ico|pdf|zip|gz|mp3|mp4|webm|docx?|xlsx?|pptx?)(\?.*)?$',
                'i'
            )
            then 'file'
        else 'page'
    end as asked_as,
    uses.use_count
from forms.urls
inner join firsts
    on urls.rowid = firsts.first_row
inner join uses
    on urls.url_id = uses.url_id

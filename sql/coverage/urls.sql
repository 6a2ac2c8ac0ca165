-- Each URL of the current files once, in the form in which it is asked. Images, and what ends like a file, are asked
-- with HEAD first; pages with a ranged GET, since a soft 404 shows only in the body.
-- grain: fetch URL
-- key: url_id
with

forms_of_urls as (
    select
        url_id,
        any_value(fetch_url) as fetch_url,
        any_value(identity_url) as identity_url,
        any_value(host) as host,
        any_value(registrable_domain) as registrable_domain,
        any_value(problem) as problem
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
    forms_of_urls.url_id,
    forms_of_urls.fetch_url,
    forms_of_urls.identity_url,
    forms_of_urls.host,
    forms_of_urls.registrable_domain,
    forms_of_urls.problem,
    case
        when
            uses.is_only_shown
            or regexp_matches(
                forms_of_urls.fetch_url,
                '^[^?]*\.(jpe?g|png|gif|webp|avif|svg|ico|pdf|zip|gz|mp3|mp4|webm|docx?|xlsx?|pptx?)(\?.*)?$',
                'i'
            )
            then 'file'
        else 'page'
    end as asked_as,
    uses.use_count
from forms_of_urls
inner join uses
    on forms_of_urls.url_id = uses.url_id

-- Each URL of the current files once, in the form in which it is asked. Images, and what ends like a file, are asked
-- with HEAD first; pages with a ranged GET, since a soft 404 shows only in the body.
-- grain: fetch URL
-- key: url_id
with

forms as (
    select
        first_uses.url_id,
        coalesce(urls.fetch_url, first_uses.raw) as fetch_url,
        coalesce(urls.identity_url, plain_identity(first_uses.raw)) as identity_url,
        coalesce(urls.host, plain_host(first_uses.raw)) as host,
        coalesce(urls.registrable_domain, hosts.registrable_domain) as registrable_domain,
        urls.problem,
        first_uses.is_only_shown,
        first_uses.use_count
    from staging.first_uses
    left join forms.urls
        on
            first_uses.role = urls.role
            and first_uses.source = urls.source
            and first_uses.raw = urls.raw
    left join forms.hosts
        on plain_host(first_uses.raw) = hosts.host
)

select
    url_id,
    fetch_url,
    identity_url,
    host,
    registrable_domain,
    problem,
    case
        when
            is_only_shown
            or regexp_matches(
                fetch_url,
                '^[^?]*\.(jpe?g|png|gif|webp|avif|svg|ico|pdf|zip|gz|mp3|mp4|webm|docx?|xlsx?|pptx?)(\?.*)?$',
                'i'
            )
            then 'file'
        else 'page'
    end as asked_as,
    use_count
from forms

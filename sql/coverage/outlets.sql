-- Each name a provider's domain goes by: channels, sections, and names scraped wrongly.
-- grain: domain × name
-- key: outlet_id
with

logos as (
    select
        mentions.outlet_id,
        coalesce(urls.fetch_url, plain_url(mentions.provider_images[1].url)) as logo_url,
        count(*) as times_seen
    from staging.mentions
    left join forms.urls
        on
            mentions.source = urls.source
            and mentions.provider_images[1].url = urls.raw
            and urls.role = 'provider_image'
            and urls.problem is null
    where mentions.outlet_id is not null
    group by mentions.outlet_id, logo_url
),

best_logos as (
    select
        outlet_id,
        arg_min(logo_url, row(-times_seen, logo_url)) as logo_url
    from logos
    where logo_url is not null
    group by outlet_id
),

names as (
    select
        outlet_id,
        any_value(domain) as domain,
        any_value(coalesce(provider_name, domain)) as name,
        count(*) as times_seen
    from staging.mentions
    where outlet_id is not null
    group by outlet_id
)

select
    names.outlet_id,
    names.domain,
    names.name,
    names.times_seen,
    row_number() over (partition by names.domain order by names.times_seen desc, names.name asc) = 1 as is_preferred,
    best_logos.logo_url
from names
left join best_logos
    on names.outlet_id = best_logos.outlet_id

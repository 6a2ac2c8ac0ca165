-- Each provider's domain, with what the site's own _data/organizations says of it.
-- grain: domain
-- key: domain
with

domains as (
    select
        domain,
        any_value(name) filter (is_preferred) as preferred_name,
        count(*) as name_count,
        sum(times_seen) as times_seen,
        any_value(logo_url) filter (is_preferred) as logo_url
    from coverage.outlets
    group by domain
),

organizations as (
    select
        definitions.domain,
        arg_min(definitions.name, row(definitions.source, definitions.path)) as name,
        arg_min(definitions.description, row(definitions.source, definitions.path)) as description,
        arg_min(
            coalesce(logos.fetch_url, plain_url(definitions.logo_raw)),
            row(definitions.source, definitions.path)
        ) as logo_url
    from staging.definitions
    left join forms.urls as logos
        on
            definitions.source = logos.source
            and definitions.logo_raw = logos.raw
            and logos.role = 'image'
            and logos.problem is null
    where
        definitions.taxonomy = 'organization'
        and definitions.domain is not null
    group by definitions.domain
)

select
    domains.domain,
    coalesce(organizations.name, domains.preferred_name) as name,
    domains.preferred_name,
    domains.name_count,
    domains.times_seen,
    organizations.name as organization_name,
    organizations.description,
    coalesce(organizations.logo_url, domains.logo_url) as logo_url
from domains
left join organizations
    on domains.domain = organizations.domain

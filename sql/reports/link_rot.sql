-- The share of broken links by outlet, role and age, by the last judgement of each link. Age is that of the item the
-- link belongs to, else of its story, on the night of the refresh; a link in several places counts once in a role, with
-- its oldest age. Files that are no stories tell no age.
-- grain: registrable domain × role × age
-- key: domain, role, age
with

judged as (
    select
        urls.registrable_domain as domain,
        aged.role,
        refresh.night - aged.published_at::date as days,
        verdict_groups.is_alive,
        verdict_groups.is_broken
    from staging.published_roles as aged
    inner join coverage.urls
        on aged.url_id = urls.url_id
    inner join links.states
        on aged.url_id = states.url_id
    left join staging.verdict_groups
        on states.last_verdict = verdict_groups.verdict
    cross join this.refresh
    where urls.problem is null
),

banded as (
    select
        judged.*,
        coalesce(age_bands.age_order, 7) as age_order
    from judged
    left join staging.age_bands
        on
            judged.days >= age_bands.from_days
            and judged.days < age_bands.to_days
),

counted as (
    select
        domain,
        role,
        age_order,
        count(*) as links,
        count(*) filter (is_alive) as alive,
        count(*) filter (is_broken) as broken
    from banded
    group by
        domain,
        role,
        age_order
)

select
    counted.domain,
    providers.name as outlet,
    counted.role,
    age_bands.age,
    counted.age_order,
    counted.links,
    counted.alive,
    counted.broken,
    counted.links - counted.alive - counted.broken as unjudged,
    counted.broken / nullif(counted.alive + counted.broken, 0) as broken_share
from counted
inner join staging.age_bands
    on counted.age_order = age_bands.age_order
left join coverage.providers
    on counted.domain = providers.domain

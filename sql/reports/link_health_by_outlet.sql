-- How many links of each domain are alive, broken, or cannot be judged, by the last judgement of each.
-- grain: registrable domain
-- key: domain
with

judged as (
    select
        urls.registrable_domain as domain,
        count(*) as links,
        count(*) filter (verdict_groups.is_alive) as alive,
        count(*) filter (verdict_groups.is_broken) as broken
    from coverage.urls
    inner join links.states
        on urls.url_id = states.url_id
    left join staging.verdict_groups
        on states.last_verdict = verdict_groups.verdict
    where urls.problem is null
    group by urls.registrable_domain
)

select
    judged.domain,
    providers.name as outlet,
    judged.links,
    judged.alive,
    judged.broken,
    judged.links - judged.alive - judged.broken as unjudged,
    judged.broken / nullif(judged.alive + judged.broken, 0) as broken_share
from judged
left join coverage.providers
    on judged.domain = providers.domain

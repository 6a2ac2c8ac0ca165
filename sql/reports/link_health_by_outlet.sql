-- How many links of each domain are alive, broken, or cannot be judged, by the last judgement of each.
-- grain: registrable domain
-- key: domain
with

judged as (
    select
        urls.registrable_domain as domain,
        count(*) as links,
        count(*) filter (states.last_verdict in ('alive', 'moved')) as alive,
        count(*) filter (
            states.last_verdict in ('gone', 'soft_404', 'server_error', 'unreachable')
        ) as broken
    from coverage.urls
    inner join links.states
        on urls.url_id = states.url_id
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

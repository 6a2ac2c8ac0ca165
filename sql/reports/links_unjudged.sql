-- Links of which nobody can say whether they live, and why: by the last judgement where it was none of life or death,
-- else by what came instead of one in the last 90 nights.
-- grain: URL
-- key: url_id
with

last_words as (
    select
        verdicts.url_id,
        max(verdicts.night) as night,
        arg_max(verdicts.verdict, verdicts.night) as verdict
    from links.verdicts
    cross join this.refresh
    where verdicts.night > refresh.night - 90
    group by verdicts.url_id
),

unjudged as (
    select
        urls.url_id,
        urls.fetch_url,
        urls.registrable_domain as domain,
        urls.problem,
        coalesce(states.last_verdict, last_words.verdict, 'never_asked') as why,
        coalesce(states.last_night, last_words.night) as night
    from coverage.urls
    inner join links.states
        on urls.url_id = states.url_id
    left join staging.verdict_groups
        on states.last_verdict = verdict_groups.verdict
    left join last_words
        on urls.url_id = last_words.url_id
    where not coalesce(verdict_groups.is_alive or verdict_groups.is_broken, false)
),

observed as (
    select
        unjudged.url_id,
        max(checks.http_status) as http_status,
        max(coalesce(checks.challenge, checks.error_class)) as cause,
        arg_max(checks.error_detail, checks.started_at) as detail
    from unjudged
    inner join links.checks
        on
            unjudged.url_id = checks.url_id
            and unjudged.night = checks.night
    where checks.kind not in ('probe', 'archive')
    group by unjudged.url_id
)

select
    unjudged.url_id,
    unjudged.fetch_url,
    unjudged.domain,
    unjudged.why,
    coalesce(unjudged.problem, observed.cause) as cause,
    observed.http_status,
    observed.detail,
    unjudged.night,
    places.places,
    places.first_place.source as source,
    places.first_place.path as path
from unjudged
inner join staging.url_places as places
    on unjudged.url_id = places.url_id
left join observed
    on unjudged.url_id = observed.url_id

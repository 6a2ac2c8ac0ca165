-- Links that the last night judged otherwise than the judgement before: what broke, came back, moved or shut us out;
-- and those that died, at their third strike.
-- Before is the last night that judged the link, however long ago; a link never judged before that is broken now was
-- found so. The links of the last night's refresh only: empty where it asked none.
-- grain: URL
-- key: url_id
with

judged as (
    select
        verdicts.url_id,
        verdicts.night,
        verdicts.verdict,
        verdicts.http_status,
        verdicts.error_class,
        verdicts.final_url,
        verdict_groups.is_broken,
        verdict_groups.is_alive
    from links.verdicts
    inner join staging.verdict_groups
        on verdicts.verdict = verdict_groups.verdict
    where verdicts.verdict not in ('postponed', 'refused', 'malformed')
),

last_night as (
    select judged.*
    from judged
    inner join this.refresh
        on judged.night = refresh.night
),

before as (
    select
        judged.url_id,
        max(judged.night) as night,
        arg_max(judged.verdict, judged.night) as verdict,
        arg_max(judged.is_broken, judged.night) as is_broken,
        arg_max(judged.is_alive, judged.night) as is_alive
    from judged
    inner join last_night
        on judged.url_id = last_night.url_id
    where judged.night < last_night.night
    group by judged.url_id
),

changed as (
    select
        last_night.*,
        before.verdict as verdict_before,
        before.night as night_before,
        states.state,
        states.strikes,
        case
            when states.died = last_night.night then 'died'
            when last_night.is_broken and before.night is null then 'found_broken'
            when last_night.is_broken and not before.is_broken then 'broke'
            when last_night.is_alive and before.is_broken then 'revived'
            when last_night.verdict = 'moved' and before.verdict = 'alive' then 'moved'
            when before.is_alive and not last_night.is_alive and not last_night.is_broken then 'barred'
        end as change
    from last_night
    inner join links.states
        on last_night.url_id = states.url_id
    left join before
        on last_night.url_id = before.url_id
)

select
    changed.url_id,
    urls.fetch_url,
    changed.change,
    changed.verdict,
    changed.verdict_before,
    changed.night,
    changed.night_before,
    changed.state,
    changed.strikes,
    changed.http_status,
    changed.error_class,
    changed.final_url,
    urls.registrable_domain as domain,
    places.places,
    places.first_place.source as source,
    places.first_place.path as path
from changed
inner join coverage.urls
    on changed.url_id = urls.url_id
inner join staging.url_places as places
    on changed.url_id = places.url_id
where changed.change is not null

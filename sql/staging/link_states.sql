-- What is known of each link of the current files after tonight. A death is of the whole domain where every judged link
-- of the domain is dead, and there are several or none answers any more; else of the page alone.
-- grain: URL
-- key: url_id
with

known as (
    select
        urls.url_id,
        urls.registrable_domain,
        coalesce(records.state, 'unknown') as state,
        coalesce(records.strikes, 0) as strikes,
        records.last_strike,
        records.last_verdict,
        records.last_night,
        records.first_alive,
        records.last_alive,
        records.first_failed,
        records.died,
        records.revived,
        coalesce(records.flaps, 0) as flaps,
        coalesce(records.nights_judged, 0) as nights_judged,
        coalesce(records.good_nights, 0) as good_nights,
        records.last_asked
    from coverage.urls
    left join staging.link_records as records
        on urls.url_id = records.url_id
),

domains as (
    select
        registrable_domain,
        count(*) as judged,
        count(*) filter (state = 'dead') as dead
    from known
    where nights_judged > 0
    group by registrable_domain
)

select
    known.url_id,
    known.state,
    known.strikes,
    known.last_strike,
    known.last_verdict,
    known.last_night,
    known.first_alive,
    known.last_alive,
    known.first_failed,
    known.died,
    case
        when known.state <> 'dead' then null
        when
            domains.dead = domains.judged
            and (domains.judged > 1 or known.last_verdict = 'unreachable')
            then 'domain'
        else 'page'
    end as death,
    known.revived,
    known.flaps,
    known.nights_judged,
    known.good_nights,
    known.last_asked
from known
left join domains
    on known.registrable_domain = domains.registrable_domain

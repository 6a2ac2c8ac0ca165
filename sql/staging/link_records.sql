-- What is known of each link that was ever settled, after tonight: one step of a fold over the nights. Three failures,
-- each at least three nights after the one before, make a link dead (the three strikes of InternetArchiveBot); one good
-- night makes it alive. `blocked` and `insecure` keep the strikes; a failure that comes too early changes nothing;
-- `refused` and `malformed` are no judgement, but settle the night; `postponed` does not even that.
-- grain: URL
-- key: url_id
with

tonight as (
    select
        verdicts.url_id,
        verdicts.night,
        verdicts.verdict,
        verdicts.title,
        verdicts.fingerprint,
        verdict_groups.is_alive,
        verdict_groups.is_broken,
        verdict_groups.is_judgement
    from links.verdicts
    inner join this.night
        on verdicts.night = night.night
    inner join staging.verdict_groups
        on verdicts.verdict = verdict_groups.verdict
    where verdicts.verdict <> 'postponed'
),

met as (
    select
        tonight.*,
        tonight.is_broken
        and (records.last_strike is null or tonight.night - records.last_strike >= 3) as is_strike,
        coalesce(records.strikes, 0) as strikes,
        coalesce(records.state, 'unknown') as state,
        coalesce(records.flaps, 0) as flaps,
        coalesce(records.nights_judged, 0) as nights_judged,
        coalesce(records.good_nights, 0) as good_nights,
        records.last_strike,
        records.last_verdict,
        records.last_night,
        records.first_alive,
        records.last_alive,
        records.first_failed,
        records.died,
        records.revived,
        records.page_title,
        records.page_fingerprint
    from tonight
    left join kept.link_records as records
        on tonight.url_id = records.url_id
),

stepped as (
    select
        url_id,
        case
            when is_alive then 'alive'
            when is_strike and strikes >= 2 then 'dead'
            when is_strike then 'failing'
            when is_broken or not is_judgement then state
            else verdict
        end as state,
        case
            when is_alive then 0
            when is_strike then strikes + 1
            else strikes
        end as strikes,
        case
            when is_strike then night
            when not is_alive then last_strike
        end as last_strike,
        if(is_judgement, verdict, last_verdict) as last_verdict,
        if(is_judgement, night, last_night) as last_night,
        if(is_alive, coalesce(first_alive, night), first_alive) as first_alive,
        if(is_alive, night, last_alive) as last_alive,
        case
            when is_strike then coalesce(first_failed, night)
            when not is_alive then first_failed
        end as first_failed,
        case
            when is_strike and strikes = 2 then night
            when not is_alive then died
        end as died,
        if(is_alive and strikes > 0, night, revived) as revived,
        if(is_alive and strikes > 0, flaps + 1, flaps) as flaps,
        if(is_judgement, nights_judged + 1, nights_judged) as nights_judged,
        case
            when is_alive then good_nights + 1
            when is_judgement then 0
            else good_nights
        end as good_nights,
        night as last_asked,
        if(is_alive and fingerprint is not null, coalesce(title, ''), page_title) as page_title,
        if(is_alive and fingerprint is not null, fingerprint, page_fingerprint) as page_fingerprint
    from met
)

select
    stepped.url_id,
    stepped.state,
    stepped.strikes,
    stepped.last_strike,
    stepped.last_verdict,
    stepped.last_night,
    stepped.first_alive,
    stepped.last_alive,
    stepped.first_failed,
    stepped.died,
    stepped.revived,
    stepped.flaps,
    stepped.nights_judged,
    stepped.good_nights,
    stepped.last_asked,
    stepped.page_title,
    stepped.page_fingerprint
from stepped
union all
select
    records.url_id,
    records.state,
    records.strikes,
    records.last_strike,
    records.last_verdict,
    records.last_night,
    records.first_alive,
    records.last_alive,
    records.first_failed,
    records.died,
    records.revived,
    records.flaps,
    records.nights_judged,
    records.good_nights,
    records.last_asked,
    records.page_title,
    records.page_fingerprint
from kept.link_records as records
anti join tonight
    on records.url_id = tonight.url_id

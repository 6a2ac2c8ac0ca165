-- What is known of each link over all nights: three failures, each at least three nights after the one before, make it
-- dead (the three strikes of InternetArchiveBot); one good night makes it alive. `blocked` and `insecure` keep the
-- strikes; a failure that comes too early changes nothing; `postponed`, `refused` and `malformed` are no judgement.
-- grain: URL
-- key: url_id
with

nights as (
    select
        url_id,
        list(
            {
                'night': night,
                'verdict': verdict,
                'state': null::varchar,
                'strikes': 0,
                'last_strike': null::date,
                'first_alive': null::date,
                'last_alive': null::date,
                'first_failed': null::date,
                'died': null::date,
                'flaps': 0
            }
            order by night
        ) as judged,
        count(*) as nights_judged
    from links.verdicts
    where verdict not in ('postponed', 'refused', 'malformed')
    group by url_id
),

walked as (
    select
        url_id,
        nights_judged,
        list_reduce( -- noqa: PRS
            judged,
            lambda before, tonight : {
                'night': tonight.night,
                'verdict': tonight.verdict,
                'state': case
                    when tonight.verdict in ('alive', 'moved') then 'alive'
                    when tonight.verdict in ('blocked', 'insecure') then tonight.verdict
                    when before.last_strike is not null and tonight.night - before.last_strike < 3 then before.state
                    when before.strikes >= 2 then 'dead'
                    else 'failing'
                end,
                'strikes': case
                    when tonight.verdict in ('alive', 'moved') then 0
                    when tonight.verdict in ('blocked', 'insecure') then before.strikes
                    when before.last_strike is not null and tonight.night - before.last_strike < 3 then before.strikes
                    else before.strikes + 1
                end,
                'last_strike': case
                    when tonight.verdict in ('alive', 'moved') then null
                    when tonight.verdict in ('blocked', 'insecure') then before.last_strike
                    when before.last_strike is not null and tonight.night - before.last_strike < 3
                        then before.last_strike
                    else tonight.night
                end,
                'first_alive': case
                    when tonight.verdict in ('alive', 'moved') then coalesce(before.first_alive, tonight.night)
                    else before.first_alive
                end,
                'last_alive': case
                    when tonight.verdict in ('alive', 'moved') then tonight.night
                    else before.last_alive
                end,
                'first_failed': case
                    when tonight.verdict in ('alive', 'moved') then null
                    when tonight.verdict in ('blocked', 'insecure') then before.first_failed
                    else coalesce(before.first_failed, tonight.night)
                end,
                'died': case
                    when tonight.verdict in ('alive', 'moved') then null
                    when tonight.verdict in ('blocked', 'insecure') then before.died
                    when before.last_strike is not null and tonight.night - before.last_strike < 3
                        then before.died
                    when before.strikes >= 2 then coalesce(before.died, tonight.night)
                end,
                'flaps': case
                    when tonight.verdict in ('alive', 'moved') and before.strikes > 0 then before.flaps + 1
                    else before.flaps
                end
            },
            {
                'night': null::date,
                'verdict': null::varchar,
                'state': 'unknown',
                'strikes': 0,
                'last_strike': null::date,
                'first_alive': null::date,
                'last_alive': null::date,
                'first_failed': null::date,
                'died': null::date,
                'flaps': 0
            }
        ) as last
    from nights
)

select
    urls.url_id,
    coalesce(walked.last.state, 'unknown') as state,
    coalesce(walked.last.strikes, 0) as strikes,
    walked.last.verdict as last_verdict,
    walked.last.night as last_night,
    walked.last.first_alive as first_alive,
    walked.last.last_alive as last_alive,
    walked.last.first_failed as first_failed,
    walked.last.died as died,
    coalesce(walked.last.flaps, 0) as flaps,
    coalesce(walked.nights_judged, 0) as nights_judged
from coverage.urls
left join walked
    on urls.url_id = walked.url_id

-- How the links of the current files stood after each night: alive or broken by the last judgement until then, else
-- unjudged; and how many were judged that night, broke in it or came back. The last night is how they stand now.
-- grain: night
-- key: night
with

judged as (
    select
        verdicts.night,
        verdict_groups.is_alive,
        verdict_groups.is_broken,
        lag(verdict_groups.is_alive, 1, false) over earlier as was_alive,
        lag(verdict_groups.is_broken, 1, false) over earlier as was_broken
    from links.verdicts
    inner join staging.verdict_groups
        on verdicts.verdict = verdict_groups.verdict
    semi join coverage.urls
        on verdicts.url_id = urls.url_id
    where verdicts.verdict not in ('postponed', 'refused', 'malformed')
    window earlier as (
        partition by verdicts.url_id
        order by verdicts.night
    )
),

turns as (
    select
        night,
        count(*) as judged,
        count(*) filter (is_broken and not was_broken) as broke,
        count(*) filter (is_alive and was_broken) as revived,
        count(*) filter (is_alive) - count(*) filter (was_alive) as more_alive,
        count(*) filter (is_broken) - count(*) filter (was_broken) as more_broken
    from judged
    group by night
),

standing as (
    select
        *,
        sum(more_alive) over (order by night) as alive,
        sum(more_broken) over (order by night) as broken
    from turns
),

all_links as (
    select count(*) as links
    from coverage.urls
)

select
    standing.night,
    standing.judged,
    standing.broke,
    standing.revived,
    standing.alive,
    standing.broken,
    all_links.links - standing.alive - standing.broken as unjudged
from standing
cross join all_links

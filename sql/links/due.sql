-- The URLs to ask tonight, in order: never asked first, then failing ones, then by age against an interval that grows
-- with a link's record (alive: 7 days doubling to 28; failing: 3; dead: 7 doubling to 90; others: 7), spread by the
-- URL's id so that nights are even. What was settled tonight is not asked again tonight.
-- grain: URL
-- key: url_id
with

last_asked as (
    select
        url_id,
        max(night) as night
    from links.verdicts
    where verdict <> 'postponed'
    group by url_id
),

records as (
    select
        urls.url_id,
        urls.fetch_url,
        urls.registrable_domain,
        urls.asked_as,
        urls.problem,
        states.state,
        last_asked.night as last_night,
        refresh.night as tonight,
        case states.state
            when 'alive' then 7 * least(4, 1 << least(2, greatest(0, states.nights_judged - 1)))
            when 'failing' then 3
            when 'dead' then least(90, 7 * (1 << least(4, greatest(0, states.strikes - 3))))
            else 7
        end as interval_days,
        -- two hexadecimal digits of the id: the same spread on every machine
        ('0x' || right(urls.url_id::varchar, 2))::integer as spread
    from coverage.urls
    inner join links.states
        on urls.url_id = states.url_id
    cross join this.refresh
    left join last_asked
        on urls.url_id = last_asked.url_id
),

due as (
    select
        *,
        tonight - last_night as age_days,
        case
            when last_night is null then 'never_asked'
            when state = 'failing' then 'failing'
            else 'due_again'
        end as reason
    from records
    where
        last_night is null
        or tonight - last_night >= interval_days + spread % greatest(1, interval_days // 7)
)

select
    url_id,
    fetch_url,
    registrable_domain,
    asked_as,
    problem,
    reason,
    row_number() over (
        order by
            last_night is not null,
            state <> 'failing',
            age_days / interval_days desc,
            url_id
    ) as priority
from due

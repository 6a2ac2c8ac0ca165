-- The URLs to ask tonight, in order: never asked first, then failing ones, then by age against an interval that grows
-- with a link's record: alive, 7 nights doubling to 28 with each good night in a row; dead, 7 doubling to 90 with each
-- further strike; others, 7. Each link has its own place among the nights of its interval, by its id: it is due on the
-- first such night when half the interval has passed, so that nights are even whenever the links were first asked. A
-- failing link is due three nights after it was asked. What was settled tonight is not asked again tonight.
-- grain: URL
-- key: url_id
with

intervals as (
    select
        urls.url_id,
        urls.fetch_url,
        urls.registrable_domain,
        urls.asked_as,
        urls.problem,
        states.state,
        states.last_asked,
        refresh.night - states.last_asked as age_nights,
        case states.state
            when 'alive' then 7 * (1 << least(2, greatest(0, states.good_nights - 1)))
            when 'failing' then 3
            when 'dead' then least(90, 7 * (1 << least(4, greatest(0, states.strikes - 3))))
            else 7
        end as interval_nights,
        -- six hexadecimal digits of the id: the same place on every machine
        ('0x' || right(urls.url_id::varchar, 6))::integer as place
    from coverage.urls
    inner join links.states
        on urls.url_id = states.url_id
    cross join this.refresh
),

waits as (
    select
        *,
        case
            when state = 'failing' then interval_nights
            else
                (interval_nights + 1) // 2
                -- from the first night that may be to the next one in the link's place: nights are counted from 2000
                + (
                    place % interval_nights + interval_nights
                    - (last_asked - date '2000-01-01' + (interval_nights + 1) // 2) % interval_nights
                ) % interval_nights
        end as wait_nights
    from intervals
)

select
    url_id,
    fetch_url,
    registrable_domain,
    asked_as,
    problem,
    case
        when last_asked is null then 'never_asked'
        when state = 'failing' then 'failing'
        else 'due_again'
    end as reason,
    row_number() over (
        order by
            last_asked is not null,
            state <> 'failing',
            age_nights / interval_nights desc,
            url_id
    ) as priority
from waits
where
    last_asked is null
    or age_nights >= wait_nights

-- How long links live, from the first night they were seen alive to the first failure of a death: the product-limit
-- estimator of Kaplan and Meier (JASA 53, 1958) over all links, by registrable domain and by the age of the item at the
-- first good night. A link that lives is counted until it was last seen alive, and then leaves the risk set (it is
-- censored on the right); one that died and came back lives. Links never seen alive tell nothing. The bounds are those
-- of 95 %, by Greenwood's variance on the log-log scale. half_life_days: the first day on which no more than half
-- survive. Rows for the first day, every day with a death and the last.
-- grain: grouping × name × day
-- key: grouping, name, day
with

lives as (
    select
        urls.registrable_domain as domain,
        coalesce(age_bands.age, 'unknown') as age,
        states.died is not null as has_died,
        if(states.died is null, states.last_alive, states.first_failed) - states.first_alive as day
    from links.states
    inner join coverage.urls
        on states.url_id = urls.url_id
    left join staging.published_urls
        on states.url_id = published_urls.url_id
    left join staging.age_bands
        on
            states.first_alive - published_urls.published_at::date >= age_bands.from_days
            and states.first_alive - published_urls.published_at::date < age_bands.to_days
    where states.first_alive is not null
),

grouped as (
    select
        'all' as grouping,
        'all' as name,
        day,
        has_died
    from lives
    union all
    select
        'outlet' as grouping,
        domain as name,
        day,
        has_died
    from lives
    union all
    select
        'age' as grouping,
        age as name,
        day,
        has_died
    from lives
),

exits as (
    select
        grouping,
        name,
        day,
        count(*) filter (has_died) as died,
        count(*) as links
    from grouped
    group by
        grouping,
        name,
        day
),

-- Whoever leaves on a day was at risk on it: deaths come before what is censored that day.
days as (
    select
        grouping,
        name,
        day,
        died,
        sum(links) over (
            partition by grouping, name
            order by day
            rows between current row and unbounded following
        ) as at_risk
    from (
        select * from exits
        union all
        select
            grouping,
            name,
            0 as day,
            0 as died,
            0 as links
        from exits
        group by
            grouping,
            name
        having min(day) > 0
    ) as exits_and_first_days
),

curves as (
    select
        *,
        product(1 - died / at_risk) over so_far as survival,
        sum(died / nullif(at_risk * (at_risk - died), 0)) over so_far as variance,
        bool_or(died = at_risk) over so_far as is_extinct,
        max(at_risk) over so_far as links,
        day = max(day) over (partition by grouping, name) as is_last
    from days
    window so_far as (partition by grouping, name order by day)
),

bounded as (
    select
        *,
        case when survival < 1 and not is_extinct then exp(1.959964 * sqrt(variance) / ln(survival)) end as spread
    from curves
)

select
    grouping,
    name,
    day::integer as day,
    links::integer as links,
    at_risk::integer as at_risk,
    died::integer as died,
    survival,
    survival ** (1 / spread) as survival_low,
    survival ** spread as survival_high,
    min(day) filter (survival <= 0.5) over (partition by grouping, name) as half_life_days
from bounded
where
    day = 0
    or died > 0
    or is_last

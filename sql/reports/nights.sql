-- What each kept night asked of the web, what it cost, and how it kept its manners: the least gap between two starts
-- to one domain against `links.pace_seconds` of that night. Domains closer than that are those the settings made
-- exceptions of (links.per_domain). Hosts that are no host of the archive's links, met on a redirect, count as domains
-- of their own. postponed: why URLs were put off; over_budget are those that the night or the domain had no room for.
-- grain: night
-- key: night
with

hosts as (
    select
        host,
        any_value(registrable_domain) as domain
    from coverage.urls
    where problem is null
    group by host
),

requests as (
    select
        asked.*,
        coalesce(hosts.domain, asked.host) as domain
    from (
        select
            night,
            refresh_id,
            kind,
            client,
            attempt,
            started_at,
            bytes_read,
            total_ms,
            url_host(request_url) as host
        from links.checks
        where method is not null
    ) as asked
    left join hosts
        on asked.host = hosts.host
),

costs as (
    select
        night,
        count(*) as requests,
        count(*) filter (kind = 'request' and client = 'requests') as second_opinions,
        count(*) filter (kind = 'probe') as probes,
        count(*) filter (kind = 'archive') as archive_requests,
        count(*) filter (attempt > 1) as repeated,
        count(distinct host) as hosts,
        count(distinct domain) as domains,
        coalesce(sum(bytes_read), 0) as bytes_read
    from requests
    group by night
),

durations as (
    select
        night,
        sum(seconds) as seconds
    from (
        select
            night,
            refresh_id,
            max(epoch(started_at) + coalesce(total_ms, 0) / 1000) - min(epoch(started_at)) as seconds
        from requests
        group by
            night,
            refresh_id
    ) as sweeps
    group by night
),

gaps as (
    select
        night,
        domain,
        min(seconds) as seconds
    from (
        select
            night,
            domain,
            epoch(started_at - lag(started_at) over (partition by night, domain order by started_at)) as seconds
        from requests
        where kind <> 'archive'
    ) as between_starts
    where seconds is not null
    group by
        night,
        domain
),

sweeps as (
    select
        night,
        count(*) as sweeps,
        sum(urls_due) as urls_due,
        sum(urls_checked) as urls_checked,
        sum(urls_postponed) as urls_postponed,
        min(pace_seconds) as pace_seconds,
        any_value(void_reason) as void_reason
    from log.refreshes
    where event = 'swept'
    group by night
),

manners as (
    select
        gaps.night,
        min(gaps.seconds) as least_gap_seconds,
        arg_min(gaps.domain, gaps.seconds) as least_gap_domain,
        -- starts are noted to the millisecond, about
        count(*) filter (gaps.seconds < sweeps.pace_seconds - 0.001) as domains_closer
    from gaps
    inner join sweeps
        on gaps.night = sweeps.night
    group by gaps.night
),

reasons as (
    select
        night,
        reason,
        count(distinct url_id) as urls
    from staging.postponements
    group by
        night,
        reason
),

all_reasons as (
    select
        night,
        reason,
        urls
    from reasons
    union all
    select
        sweeps.night,
        'over_budget' as reason,
        sweeps.urls_postponed - coalesce(sum(reasons.urls), 0) as urls
    from sweeps
    left join reasons
        on sweeps.night = reasons.night
    group by
        sweeps.night,
        sweeps.urls_postponed
),

postponed as (
    select
        night,
        list({ 'reason': reason, 'urls': urls::integer } order by urls desc, reason asc) as postponed
    from all_reasons
    where urls > 0
    group by night
)

select
    sweeps.night,
    sweeps.sweeps,
    sweeps.void_reason,
    sweeps.urls_due,
    sweeps.urls_checked,
    sweeps.urls_postponed,
    coalesce(postponed.postponed, []) as postponed,
    coalesce(costs.requests, 0) as requests,
    coalesce(costs.second_opinions, 0) as second_opinions,
    coalesce(costs.probes, 0) as probes,
    coalesce(costs.archive_requests, 0) as archive_requests,
    coalesce(costs.repeated, 0) as repeated,
    coalesce(costs.hosts, 0) as hosts,
    coalesce(costs.domains, 0) as domains,
    coalesce(costs.bytes_read, 0) as bytes_read,
    coalesce(durations.seconds, 0) as seconds,
    sweeps.pace_seconds,
    manners.least_gap_seconds,
    manners.least_gap_domain,
    coalesce(manners.domains_closer, 0) as domains_closer
from sweeps
cross join this.refresh
left join costs
    on sweeps.night = costs.night
left join durations
    on sweeps.night = durations.night
left join manners
    on sweeps.night = manners.night
left join postponed
    on sweeps.night = postponed.night
where
    costs.night is not null
    or postponed.night is not null
    or sweeps.night = refresh.night

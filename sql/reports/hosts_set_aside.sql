-- Hosts that a kept night stopped asking, and why: their own Retry-After, a row of time-outs, a name that does not
-- exist or could not be resolved, or the settings.
-- grain: night × host × reason
-- key: night, host, reason
with

rows_of_hosts as (
    select
        night,
        request_url,
        url_id,
        reason,
        error_detail
    from staging.postponements
    where reason in ('retry_after', 'dns_servfail', 'dns_timeout', 'skipped')
    union all
    select
        night,
        request_url,
        url_id,
        case when error_class = 'dns_nxdomain' then 'no_such_name' else 'timeouts' end as reason,
        error_detail
    from links.checks
    where
        kind = 'shared'
        or (kind = 'request' and method is null)
),

named as (
    select
        *,
        url_host(request_url) as host
    from rows_of_hosts
)

select
    named.night,
    named.host,
    named.reason,
    any_value(urls.registrable_domain) as domain,
    min(named.error_detail) as detail,
    count(distinct named.url_id) as urls
from named
left join coverage.urls
    on named.host = urls.host
group by
    named.night,
    named.host,
    named.reason

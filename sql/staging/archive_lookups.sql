-- The links to look for in the web archive tonight, in order: those without any other replacement first, then the
-- latest to fail. A copy that was found is not asked for again, unless the date of the item has changed since; one that
-- was not is asked for again after 30 nights, and where the archive gave no usable answer, on the next.
-- grain: URL
-- key: url_id
with

wanting as (
    select
        urls.url_id,
        urls.fetch_url,
        published_urls.published_at,
        coalesce(strftime(published_urls.published_at, '%Y%m%d%H%M%S'), '') as timestamp,
        states.first_failed
    from staging.link_states as states
    inner join coverage.urls
        on states.url_id = urls.url_id
    left join staging.published_urls
        on urls.url_id = published_urls.url_id
    where
        states.state = 'dead'
        or states.last_verdict in ('soft_404', 'insecure')
),

answers as (
    select
        url_id::uuid as url_id,
        regexp_extract(any_value(request_url) filter (hop = 0), '[?&]timestamp=([0-9]*)', 1) as timestamp,
        max(night) as night,
        bool_or(snapshot_url is not null) as is_found
    from log.link_checks
    where kind = 'archive'
    group by
        url_id,
        refresh_id
    having bool_or(snapshot_url is not null or (http_status = 200 and error_class is null))
)

select
    wanting.url_id,
    wanting.fetch_url,
    wanting.timestamp,
    row_number() over (
        order by
            remedies.url_id is not null asc,
            wanting.first_failed desc,
            wanting.url_id asc
    ) as priority
from wanting
cross join this.refresh
left join links.remedies
    on
        wanting.url_id = remedies.url_id
        and remedies.rank = 1
anti join answers
    on
        wanting.url_id = answers.url_id
        and wanting.timestamp = answers.timestamp
        and (answers.is_found or refresh.night - answers.night < 30)

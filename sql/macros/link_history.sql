-- Every judgement of a link, night by night. The link is named by its URL as it stands in a file, as it is asked, or as
-- what it is about; one that stands in no file any more, as it was asked.
-- grain: URL × night
-- call: link_history(url)
with

wanted as (
    select url_id
    from coverage.urls
    where
        fetch_url = url
        or identity_url = url
    union
    select url_id
    from coverage.url_uses
    where raw = url
    union
    select url_id
    from links.checks
    where
        request_url = url
        and hop = 0
)

select
    verdicts.night,
    urls.fetch_url,
    verdicts.verdict,
    verdicts.confidence,
    verdicts.http_status,
    verdicts.error_class,
    verdicts.final_url,
    verdicts.clients_disagree,
    verdicts.checked_at
from wanted
inner join links.verdicts
    on wanted.url_id = verdicts.url_id
left join coverage.urls
    on wanted.url_id = urls.url_id
order by
    verdicts.night,
    urls.fetch_url

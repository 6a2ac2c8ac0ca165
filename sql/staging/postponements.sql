-- Why each due URL of the kept nights was put off that has a row to say so; those over a budget have none.
-- grain: observation
-- key: check_id
select
    check_id,
    url_id,
    night,
    refresh_id,
    request_url,
    error_detail,
    case
        when error_class is not null then error_class
        when starts_with(error_detail, 'Retry-After') then 'retry_after'
        when contains(error_detail, 'skips this domain') then 'skipped'
        when contains(error_detail, 'minutes ran out') then 'minutes'
        when contains(error_detail, 'was stopped') then 'interrupted'
        else 'other'
    end as reason
from links.checks
where kind = 'postponed'

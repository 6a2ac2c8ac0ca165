select
    fetch_url as link,
    change,
    verdict_before,
    verdict,
    coalesce('HTTP ' || http_status, error_class) as why,
    night_before,
    places,
    path
from reports.links_changed_last_night
order by
    case change when 'broke' then 1 when 'found_broken' then 2 when 'barred' then 3 when 'moved' then 4 else 5 end,
    link

select
    refreshes.started_at::date as day,
    refreshes.outcome,
    refreshes.files_seen,
    refreshes.files_accepted,
    refreshes.files_rejected,
    refreshes.files_removed,
    refreshes.mentions_out,
    refreshes.urls_checked,
    link_health_by_night.broke,
    link_health_by_night.revived,
    link_health_by_night.broken,
    link_health_by_night.unjudged
from ops.refreshes
left join reports.link_health_by_night
    on refreshes.night = link_health_by_night.night
order by refreshes.started_at desc

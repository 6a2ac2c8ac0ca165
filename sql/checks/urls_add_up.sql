-- URLs due are checked or postponed, in the refresh at work.
-- on: links.checks
-- severity: error
-- blocking: yes
-- message: The URLs of the night do not add up: due is not checked + postponed
select
    events.urls_due,
    events.urls_checked,
    events.urls_postponed
from log.refreshes as events
inner join this.refresh
    on events.refresh_id = refresh.refresh_id
where
    events.event = 'swept'
    and events.urls_due is distinct from events.urls_checked + events.urls_postponed

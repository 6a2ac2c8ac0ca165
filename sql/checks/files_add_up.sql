-- Files seen are accepted, rejected, skipped or unchanged, each exactly once, in the refresh at work.
-- on: coverage.documents
-- severity: error
-- blocking: yes
-- message: The files of a source do not add up: seen is not accepted + rejected + skipped + unchanged
select
    events.source,
    events.files_seen,
    events.files_accepted,
    events.files_rejected,
    events.files_skipped,
    events.files_unchanged
from log.refreshes as events
inner join this.refresh
    on events.refresh_id = refresh.refresh_id
where
    events.event = 'read'
    and events.files_seen
    is distinct from events.files_accepted + events.files_rejected + events.files_skipped + events.files_unchanged

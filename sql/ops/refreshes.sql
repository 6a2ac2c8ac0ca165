-- What each refresh started with, read, counted, swept and published, and what clock it ran on. The refresh that made
-- this warehouse counts as published: whoever reads it reads a published one.
-- grain: one refresh
-- key: refresh_id
select
    events.refresh_id,
    min(events.happened_at) filter (events.event = 'started') as started_at,
    any_value(events.night) as night,
    any_value(events.clock) as clock,
    case
        when bool_or(events.event = 'published') or events.refresh_id = any_value(refresh.refresh_id) then 'published'
        else 'unpublished'
    end as outcome,
    any_value(events.rehearsal) as rehearsal,
    coalesce(sum(events.files_seen), 0) as files_seen,
    coalesce(sum(events.files_accepted), 0) as files_accepted,
    coalesce(sum(events.files_rejected), 0) as files_rejected,
    coalesce(sum(events.files_skipped), 0) as files_skipped,
    coalesce(sum(events.files_unchanged), 0) as files_unchanged,
    coalesce(sum(events.files_removed), 0) as files_removed,
    coalesce(sum(events.files_parsed), 0) as files_parsed,
    any_value(events.mentions_in) as mentions_in,
    any_value(events.mentions_out) as mentions_out,
    any_value(events.urls_due) as urls_due,
    any_value(events.urls_checked) as urls_checked,
    any_value(events.urls_postponed) as urls_postponed,
    any_value(events.void_reason) as void_reason,
    any_value(events.run_id) as run_id,
    any_value(events.version) as version
from log.refreshes as events
cross join this.refresh
group by events.refresh_id
having bool_or(events.event = 'started')

-- Nothing is published after the refresh that reads it.
-- on: coverage.mentions
-- severity: warn
-- message: An item is dated more than a day after the refresh
select
    mentions.mention_id,
    mentions.title,
    mentions.published_at
from coverage.mentions
cross join this.refresh
where mentions.published_at > refresh.started_at + interval 1 day

-- When the item was published that each URL belongs to in each role: of several the earliest, else the story's own
-- time.
-- grain: URL × role
-- key: url_id, role
select
    url_uses.url_id,
    url_uses.role,
    min(coalesce(mentions.published_at, stories.published_at)) as published_at
from coverage.url_uses
left join coverage.stories
    on url_uses.story_id = stories.story_id
left join coverage.mentions
    on
        url_uses.version_id = mentions.version_id
        and url_uses.mention_pointer = mentions.pointer
group by
    url_uses.url_id,
    url_uses.role

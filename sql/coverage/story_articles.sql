-- Which article stands in which story, at its first position there: an article listed twice, or as a related item of
-- itself, is one row.
-- grain: story × article
-- key: story_id, article_id
select
    story_id,
    article_id,
    arg_min(role, position) as role,
    min(position) as rank,
    first(quality order by position) as quality
from staging.mentions
group by story_id, article_id

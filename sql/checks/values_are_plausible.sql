-- Quality is never negative, heat never below -1 (a related item outranks the file), an image has a size, and nothing
-- is older than the web.
-- on: coverage.mentions
-- severity: warn
-- message: A value lies outside the range that it can have
select
    'quality' as what,
    mention_id::varchar as id,
    quality::varchar as value
from coverage.mentions
where quality < 0
union all
select
    'heat' as what,
    mention_id::varchar as id,
    heat::varchar as value
from coverage.mentions
where heat < -1
union all
select
    'published_at' as what,
    mention_id::varchar as id,
    published_at::varchar as value
from coverage.mentions
where published_at < '1991-08-06T00:00:00Z'::timestamptz
union all
select
    'size' as what,
    version_id::varchar || pointer as id,
    concat_ws('×', coalesce(width::varchar, '?'), coalesce(height::varchar, '?')) as value
from coverage.image_uses
where
    width <= 0
    or height <= 0

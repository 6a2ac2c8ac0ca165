-- Every story is told from its file as it is now.
-- on: coverage.stories
-- severity: warn
-- message: A file turned bad; its story is told from the last good meaning
select
    source,
    path,
    title
from coverage.stories
where is_stale

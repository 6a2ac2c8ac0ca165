-- A file whose name begins with a date is published on that day, a day more or less for the time zones.
-- on: coverage.stories
-- severity: warn
-- message: A file's name has another date than the story
with

named as (
    select
        source,
        path,
        published_at,
        try_cast(regexp_extract(path, '(?:^|/)([0-9]{4}-[0-9]{2}-[0-9]{2})-[^/]*$', 1) as date) as named_date
    from coverage.stories
)

select
    source,
    path,
    published_at
from named
where abs(published_at::date - named_date) > 1

-- No title or excerpt still holds an entity once its entities were undone.
-- on: coverage.mentions
-- severity: warn
-- message: A title or excerpt was escaped twice
select
    mention_id,
    title,
    excerpt
from coverage.mentions
where is_twice_escaped

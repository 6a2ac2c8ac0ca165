-- Heat is quality for single stories, quality + 10 × related count for leads: a habit of the archive, not a law.
-- on: coverage.stories
-- severity: warn
-- message: Heat does not follow quality + 10 × related count
select
    path,
    heat,
    quality,
    related_count
from coverage.stories
where
    heat >= 0
    and heat <> quality + 10 * related_count

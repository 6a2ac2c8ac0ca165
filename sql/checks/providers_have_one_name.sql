-- A domain goes by one name: others are channels, or names that were scraped wrongly.
-- on: coverage.outlets
-- severity: warn
-- message: A domain goes by several names
select
    domain,
    list(name order by times_seen desc, name asc) as names
from coverage.outlets
group by domain
having count(*) > 1

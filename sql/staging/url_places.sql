-- In how many places of the current files each URL stands, and the first of them.
-- grain: URL
-- key: url_id
select
    url_id,
    count(*) as places,
    min({ 'source': source, 'path': path }) as first_place
from coverage.url_uses
group by url_id

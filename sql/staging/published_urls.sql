-- When the item was published that each URL belongs to, whatever for: of several the earliest.
-- grain: URL
-- key: url_id
select
    url_id,
    min(published_at) as published_at
from staging.published_roles
group by url_id

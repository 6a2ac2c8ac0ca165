-- Each image once, with the size most often written for it.
-- grain: URL
-- key: image_id
-- in parts of: coverage.image_uses
with

uses as (
    select
        image_id,
        url_id,
        mode(width order by width) as width,
        mode(height order by height) as height,
        coalesce(bool_or(is_cached), false) as is_cached,
        count(*) as use_count
    from coverage.image_uses
    where in_part(image_id)
    group by image_id, url_id
)

select
    uses.image_id,
    uses.url_id,
    urls.fetch_url,
    uses.width,
    uses.height,
    uses.is_cached,
    uses.use_count
from uses
inner join coverage.urls
    on uses.url_id = urls.url_id

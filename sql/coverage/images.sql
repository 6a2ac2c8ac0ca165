-- Each image once, with the size most often written for it.
-- grain: URL
-- key: image_id
select
    content_id('image', urls.fetch_url) as image_id,
    urls.url_id,
    urls.fetch_url,
    mode(image_uses.width order by image_uses.width) as width,
    mode(image_uses.height order by image_uses.height) as height,
    coalesce(bool_or(image_uses.is_cached), false) as is_cached,
    count(*) as use_count
from coverage.image_uses
inner join coverage.urls
    on image_uses.image_id = content_id('image', urls.fetch_url)
group by urls.url_id, urls.fetch_url

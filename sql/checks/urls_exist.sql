-- Every place of a URL, every image and every article that names one has its URL.
-- on: coverage.urls
-- severity: error
-- blocking: yes
-- message: A row names no URL of coverage.urls
select
    'coverage.url_uses.url_id' as place,
    url_uses.url_id as id,
    count(*) as times
from coverage.url_uses
anti join coverage.urls
    on url_uses.url_id = urls.url_id
group by url_uses.url_id
union all
select
    'coverage.images.url_id' as place,
    images.url_id as id,
    count(*) as times
from coverage.images
anti join coverage.urls
    on images.url_id = urls.url_id
group by images.url_id
union all
select
    'coverage.articles.url_id' as place,
    articles.url_id as id,
    count(*) as times
from coverage.articles
anti join coverage.urls
    on articles.url_id = urls.url_id
where articles.url_id is not null
group by articles.url_id

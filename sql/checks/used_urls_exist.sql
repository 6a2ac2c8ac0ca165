-- Every place of a URL has its URL.
-- on: coverage.url_uses
-- severity: error
-- blocking: yes
-- message: A row of url_uses names no URL of coverage.urls
select
    url_uses.url_id,
    url_uses.path,
    url_uses.pointer
from coverage.url_uses
anti join coverage.urls
    on url_uses.url_id = urls.url_id

-- Every state and every due URL is of a URL of the current files.
-- on: links.states
-- severity: error
-- blocking: yes
-- message: A row of the links names no URL of coverage.urls
select
    'links.states.url_id' as place,
    states.url_id as id,
    count(*) as times
from links.states
anti join coverage.urls
    on states.url_id = urls.url_id
group by states.url_id
union all
select
    'links.due.url_id' as place,
    due.url_id as id,
    count(*) as times
from links.due
anti join coverage.urls
    on due.url_id = urls.url_id
group by due.url_id

-- Every article and mention that names an outlet has it.
-- on: coverage.outlets
-- severity: error
-- blocking: yes
-- message: A row names no outlet of coverage.outlets
select
    'coverage.articles.outlet_id' as place,
    articles.outlet_id as id,
    count(*) as times
from coverage.articles
anti join coverage.outlets
    on articles.outlet_id = outlets.outlet_id
where articles.outlet_id is not null
group by articles.outlet_id
union all
select
    'coverage.mentions.outlet_id' as place,
    mentions.outlet_id as id,
    count(*) as times
from coverage.mentions
anti join coverage.outlets
    on mentions.outlet_id = outlets.outlet_id
where mentions.outlet_id is not null
group by mentions.outlet_id

-- The key of each table of the links names one row.
-- on: links.verdicts
-- severity: error
-- blocking: yes
-- message: A key of a table of the links names more than one row
select
    'links.checks' as relation,
    concat_ws(' ', check_id) as key,
    count(*) as times
from links.checks
group by
    check_id
having count(*) > 1
union all
select
    'links.due' as relation,
    concat_ws(' ', url_id) as key,
    count(*) as times
from links.due
group by
    url_id
having count(*) > 1
union all
select
    'links.remedies' as relation,
    concat_ws(' ', url_id, rank) as key,
    count(*) as times
from links.remedies
group by
    url_id,
    rank
having count(*) > 1
union all
select
    'links.states' as relation,
    concat_ws(' ', url_id) as key,
    count(*) as times
from links.states
group by
    url_id
having count(*) > 1
union all
select
    'links.verdicts' as relation,
    concat_ws(' ', url_id, night) as key,
    count(*) as times
from links.verdicts
group by
    url_id,
    night
having count(*) > 1

select
    coalesce(states.last_verdict, 'never judged') as verdict,
    count(*) as links
from coverage.urls
left join links.states
    on urls.url_id = states.url_id
group by all
order by links desc, verdict asc

select
    fetch_url as link,
    state,
    strikes,
    verdict,
    coalesce('HTTP ' || http_status, error_class) as why,
    last_alive,
    places,
    min(struct_pack(path := path, pointer := pointer, source := source, story := story_title), 10) as first_places
from reports.dead_links
group by all
order by strikes desc, link asc

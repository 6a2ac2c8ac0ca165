select
    title,
    outlet,
    identity_url,
    story_count,
    leads,
    paths
from reports.articles_in_several_stories
order by story_count desc, title asc, identity_url asc

select
    hottest_title,
    story_count,
    shared_article_count,
    mutual_count,
    first_published_at::date as first_day,
    last_published_at::date as last_day,
    paths
from reports.clusters_of_stories
order by story_count desc, heat desc, cluster_id asc

-- The key of each table names one row.
-- on: coverage.documents
-- severity: error
-- blocking: yes
-- message: A key of a table names more than one row
select
    'coverage.articles' as relation,
    concat_ws(' ', article_id) as key,
    count(*) as times
from coverage.articles
group by
    article_id
having count(*) > 1
union all
select
    'coverage.document_issues' as relation,
    concat_ws(' ', version_id, pointer, code, line, "column", raw, message) as key,
    count(*) as times
from coverage.document_issues
group by
    version_id,
    pointer,
    code,
    line,
    "column",
    raw,
    message
having count(*) > 1
union all
select
    'coverage.document_versions' as relation,
    concat_ws(' ', version_id) as key,
    count(*) as times
from coverage.document_versions
group by
    version_id
having count(*) > 1
union all
select
    'coverage.documents' as relation,
    concat_ws(' ', source, path) as key,
    count(*) as times
from coverage.documents
group by
    source,
    path
having count(*) > 1
union all
select
    'coverage.heat_history' as relation,
    concat_ws(' ', story_id, seen_at) as key,
    count(*) as times
from coverage.heat_history
group by
    story_id,
    seen_at
having count(*) > 1
union all
select
    'coverage.image_uses' as relation,
    concat_ws(' ', version_id, pointer) as key,
    count(*) as times
from coverage.image_uses
group by
    version_id,
    pointer
having count(*) > 1
union all
select
    'coverage.images' as relation,
    concat_ws(' ', image_id) as key,
    count(*) as times
from coverage.images
group by
    image_id
having count(*) > 1
union all
select
    'coverage.leftovers' as relation,
    concat_ws(' ', version_id, pointer) as key,
    count(*) as times
from coverage.leftovers
group by
    version_id,
    pointer
having count(*) > 1
union all
select
    'coverage.mentions' as relation,
    concat_ws(' ', mention_id) as key,
    count(*) as times
from coverage.mentions
group by
    mention_id
having count(*) > 1
union all
select
    'coverage.outlets' as relation,
    concat_ws(' ', outlet_id) as key,
    count(*) as times
from coverage.outlets
group by
    outlet_id
having count(*) > 1
union all
select
    'coverage.providers' as relation,
    concat_ws(' ', domain) as key,
    count(*) as times
from coverage.providers
group by
    domain
having count(*) > 1
union all
select
    'coverage.stories' as relation,
    concat_ws(' ', story_id) as key,
    count(*) as times
from coverage.stories
group by
    story_id
having count(*) > 1
union all
select
    'coverage.story_articles' as relation,
    concat_ws(' ', story_id, article_id) as key,
    count(*) as times
from coverage.story_articles
group by
    story_id,
    article_id
having count(*) > 1
union all
select
    'coverage.story_clusters' as relation,
    concat_ws(' ', story_id) as key,
    count(*) as times
from coverage.story_clusters
group by
    story_id
having count(*) > 1
union all
select
    'coverage.story_topics' as relation,
    concat_ws(' ', story_id, topic_id) as key,
    count(*) as times
from coverage.story_topics
group by
    story_id,
    topic_id
having count(*) > 1
union all
select
    'coverage.topics' as relation,
    concat_ws(' ', topic_id) as key,
    count(*) as times
from coverage.topics
group by
    topic_id
having count(*) > 1
union all
select
    'coverage.url_uses' as relation,
    concat_ws(' ', version_id, pointer, raw) as key,
    count(*) as times
from coverage.url_uses
group by
    version_id,
    pointer,
    raw
having count(*) > 1
union all
select
    'coverage.urls' as relation,
    concat_ws(' ', url_id) as key,
    count(*) as times
from coverage.urls
group by
    url_id
having count(*) > 1

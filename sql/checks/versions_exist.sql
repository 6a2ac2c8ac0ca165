-- Whatever was read from a meaning of a file names one that is known.
-- on: coverage.document_versions
-- severity: error
-- blocking: yes
-- message: A row names no meaning of coverage.document_versions
select
    'coverage.documents.version_id' as place,
    documents.version_id as id,
    count(*) as times
from coverage.documents
anti join coverage.document_versions
    on documents.version_id = document_versions.version_id
group by documents.version_id
union all
select
    'coverage.documents.accepted_version_id' as place,
    documents.accepted_version_id as id,
    count(*) as times
from coverage.documents
anti join coverage.document_versions
    on documents.accepted_version_id = document_versions.version_id
where documents.accepted_version_id is not null
group by documents.accepted_version_id
union all
select
    'coverage.document_issues.version_id' as place,
    document_issues.version_id as id,
    count(*) as times
from coverage.document_issues
anti join coverage.document_versions
    on document_issues.version_id = document_versions.version_id
group by document_issues.version_id
union all
select
    'coverage.leftovers.version_id' as place,
    leftovers.version_id as id,
    count(*) as times
from coverage.leftovers
anti join coverage.document_versions
    on leftovers.version_id = document_versions.version_id
group by leftovers.version_id
union all
select
    'coverage.stories.version_id' as place,
    stories.version_id as id,
    count(*) as times
from coverage.stories
anti join coverage.document_versions
    on stories.version_id = document_versions.version_id
group by stories.version_id
union all
select
    'coverage.mentions.version_id' as place,
    mentions.version_id as id,
    count(*) as times
from coverage.mentions
anti join coverage.document_versions
    on mentions.version_id = document_versions.version_id
group by mentions.version_id
union all
select
    'coverage.heat_history.version_id' as place,
    heat_history.version_id as id,
    count(*) as times
from coverage.heat_history
anti join coverage.document_versions
    on heat_history.version_id = document_versions.version_id
group by heat_history.version_id
union all
select
    'coverage.image_uses.version_id' as place,
    image_uses.version_id as id,
    count(*) as times
from coverage.image_uses
anti join coverage.document_versions
    on image_uses.version_id = document_versions.version_id
group by image_uses.version_id
union all
select
    'coverage.url_uses.version_id' as place,
    url_uses.version_id as id,
    count(*) as times
from coverage.url_uses
anti join coverage.document_versions
    on url_uses.version_id = document_versions.version_id
group by url_uses.version_id

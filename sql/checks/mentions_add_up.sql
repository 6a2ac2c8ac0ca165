-- Mentions in, counted from the log's own columns, are mentions out.
-- on: coverage.mentions
-- severity: error
-- blocking: yes
-- message: Mentions were lost or doubled between the documents log and coverage.mentions
with

mentions_in as (
    select
        version_id::uuid as version_id,
        1 + coalesce(list_count(related), 0) as expected
    from staging.accepted_documents
    where is_story
),

mentions_out as (
    select
        version_id,
        count(*) as found
    from coverage.mentions
    group by version_id
)

select
    coalesce(mentions_in.version_id, mentions_out.version_id) as version_id,
    coalesce(mentions_in.expected, 0) as expected,
    coalesce(mentions_out.found, 0) as found
from mentions_in
full join mentions_out
    on mentions_in.version_id = mentions_out.version_id
where coalesce(mentions_in.expected, 0) <> coalesce(mentions_out.found, 0)

-- A story is filed under topics that _data/topics describes, where the source describes any.
-- on: coverage.story_topics
-- severity: warn
-- message: A story is filed under a topic that _data/topics does not describe
with

describing as (
    select distinct source
    from coverage.topics
    where is_defined
)

select
    topics.source,
    topics.name,
    topics.story_count
from coverage.topics
semi join describing
    on topics.source = describing.source
where
    not topics.is_defined
    and topics.story_count > 0

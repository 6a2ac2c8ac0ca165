-- The parent that _data/topics names for a topic is described there, too.
-- on: coverage.topics
-- severity: warn
-- message: A topic has a parent that _data/topics does not describe
select
    topics.source,
    topics.name,
    topics.parent_name
from coverage.topics
inner join coverage.topics as parents
    on topics.parent_topic_id = parents.topic_id
where not parents.is_defined

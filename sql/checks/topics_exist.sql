-- Every topic that a story is filed under, and every parent, is a topic.
-- on: coverage.topics
-- severity: error
-- blocking: yes
-- message: A row names no topic of coverage.topics
select
    'coverage.story_topics.topic_id' as place,
    story_topics.topic_id as id,
    count(*) as times
from coverage.story_topics
anti join coverage.topics
    on story_topics.topic_id = topics.topic_id
group by story_topics.topic_id
union all
select
    'coverage.topics.parent_topic_id' as place,
    referring.parent_topic_id as id,
    count(*) as times
from coverage.topics as referring
anti join coverage.topics as referred
    on referring.parent_topic_id = referred.topic_id
where referring.parent_topic_id is not null
group by referring.parent_topic_id

-- Links whose last judgement says that what they point to is not there, each with every place it stands in. `failing`
-- until three strikes, then `dead`.
-- grain: link × place
-- key: version_id, pointer, raw
select
    urls.url_id,
    urls.fetch_url,
    states.state,
    states.strikes,
    verdicts.verdict,
    verdicts.http_status,
    verdicts.error_class,
    states.last_alive,
    states.first_failed,
    states.remedy,
    url_uses.source,
    url_uses.path,
    url_uses.version_id,
    url_uses.pointer,
    url_uses.role,
    stories.title as story_title,
    url_uses.raw
from links.states
inner join staging.verdict_groups
    on states.last_verdict = verdict_groups.verdict
inner join coverage.urls
    on states.url_id = urls.url_id
inner join links.verdicts
    on
        states.url_id = verdicts.url_id
        and states.last_night = verdicts.night
inner join coverage.url_uses
    on urls.url_id = url_uses.url_id
left join coverage.stories
    on url_uses.story_id = stories.story_id
where verdict_groups.is_broken

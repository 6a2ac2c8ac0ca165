-- Who leads and who follows: the stories an outlet is the main item of, those of them that others followed, those of
-- others that it joined; and whom it follows, by whom it is followed. An outlet is a provider's domain, whatever names
-- it goes by. It does not follow itself, and an item without a provider is nobody's.
-- grain: provider's domain
-- key: domain
with

told as (
    select distinct
        mentions.story_id,
        mentions.role,
        outlets.domain
    from coverage.mentions
    inner join coverage.outlets
        on mentions.outlet_id = outlets.outlet_id
),

followings as (
    select
        leads.story_id,
        leads.domain as leader,
        follows.domain as follower
    from told as leads
    inner join told as follows
        on leads.story_id = follows.story_id
    where
        leads.role = 'main'
        and follows.role = 'related'
        and leads.domain <> follows.domain
),

pairs as (
    select
        leader,
        follower,
        count(*) as stories
    from followings
    group by
        leader,
        follower
),

led as (
    select
        domain,
        count(*) as stories
    from told
    where role = 'main'
    group by domain
),

followed as (
    select
        leader as domain,
        count(distinct story_id) as stories
    from followings
    group by leader
),

joined as (
    select
        follower as domain,
        count(*) as stories
    from followings
    group by follower
),

followers as (
    select
        leader as domain,
        list({ 'domain': follower, 'stories': stories } order by stories desc, follower asc) as outlets
    from pairs
    group by leader
),

leaders as (
    select
        follower as domain,
        list({ 'domain': leader, 'stories': stories } order by stories desc, leader asc) as outlets
    from pairs
    group by follower
)

select
    providers.domain,
    providers.name as outlet,
    coalesce(led.stories, 0) as stories_led,
    coalesce(followed.stories, 0) as stories_followed_by_others,
    coalesce(joined.stories, 0) as stories_joined,
    coalesce(led.stories, 0) / nullif(coalesce(led.stories, 0) + coalesce(joined.stories, 0), 0) as lead_share,
    coalesce(len(followers.outlets), 0) as follower_count,
    coalesce(len(leaders.outlets), 0) as leader_count,
    coalesce(followers.outlets, []) as followed_by,
    coalesce(leaders.outlets, []) as follows
from coverage.providers
left join led
    on providers.domain = led.domain
left join followed
    on providers.domain = followed.domain
left join joined
    on providers.domain = joined.domain
left join followers
    on providers.domain = followers.domain
left join leaders
    on providers.domain = leaders.domain

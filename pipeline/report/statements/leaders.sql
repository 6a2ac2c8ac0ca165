select
    outlet,
    domain,
    stories_led,
    stories_followed_by_others,
    stories_joined,
    lead_share,
    array_to_string(list_transform(followed_by[1:3], lambda one : one.domain), ', ') as followers,
    array_to_string(list_transform(follows[1:3], lambda one : one.domain), ', ') as leaders
from reports.leaders_and_followers
order by stories_led desc, stories_joined desc, domain asc

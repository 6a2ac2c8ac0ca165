-- What a verdict says of the page that a link leads to: it is there, it is not, or nobody can say.
-- grain: verdict
-- key: verdict
select
    grouped.verdict,
    grouped.is_alive,
    grouped.is_broken
from (
    values
    ('alive', true, false),
    ('moved', true, false),
    ('gone', false, true),
    ('soft_404', false, true),
    ('server_error', false, true),
    ('unreachable', false, true),
    ('blocked', false, false),
    ('insecure', false, false),
    ('malformed', false, false),
    ('refused', false, false),
    ('postponed', false, false)
) as grouped (verdict, is_alive, is_broken)

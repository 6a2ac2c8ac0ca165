-- What a verdict says of the page that a link leads to: it is there, it is not, or nobody can say; and whether it is a
-- judgement at all.
-- grain: verdict
-- key: verdict
select
    grouped.verdict,
    grouped.is_alive,
    grouped.is_broken,
    grouped.is_judgement
from (
    values
    ('alive', true, false, true),
    ('moved', true, false, true),
    ('gone', false, true, true),
    ('soft_404', false, true, true),
    ('server_error', false, true, true),
    ('unreachable', false, true, true),
    ('blocked', false, false, true),
    ('insecure', false, false, true),
    ('malformed', false, false, false),
    ('refused', false, false, false),
    ('postponed', false, false, false)
) as grouped (verdict, is_alive, is_broken, is_judgement)

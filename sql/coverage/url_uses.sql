-- Every place a URL stands in, in which role, with the text as written. One pointer may name two places: 1 and "1" are
-- two keys of YAML.
-- grain: URL × owner × role × pointer
-- key: version_id, pointer, raw
-- kept: as a view
select
    url_id,
    version_id,
    pointer,
    role,
    raw,
    source,
    path,
    story_id,
    mention_pointer,
    has_userinfo
from staging.url_uses

-- Every place a URL stands in, in which role, with the text as written. One pointer may name two places: 1 and "1" are
-- two keys of YAML.
-- grain: URL × owner × role × pointer
-- key: version_id, pointer, raw
select
    urls.url_id,
    url_uses.version_id,
    url_uses.pointer,
    url_uses.role,
    url_uses.raw,
    url_uses.source,
    url_uses.path,
    case when url_uses.is_story then content_id2('story', url_uses.source, url_uses.path) end as story_id,
    case when url_uses.is_story then url_uses.mention_pointer end as mention_pointer,
    urls.stripped_userinfo as has_userinfo
from staging.url_uses
inner join forms.urls
    on
        url_uses.source = urls.source
        and url_uses.raw = urls.raw

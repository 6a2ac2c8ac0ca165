-- Every URL of a speaking document where it stands, with the id of the URL. Most are plain: asked as they are written,
-- so their id is made of their text, and no table of all texts is searched for it.
-- grain: version × pointer × text
-- key: version_id, pointer, raw
select
    coalesce(urls.url_id, content_id('url', written_urls.raw)) as url_id,
    written_urls.version_id,
    written_urls.pointer,
    written_urls.role,
    written_urls.raw,
    written_urls.source,
    written_urls.path,
    written_urls.story_id,
    case when written_urls.story_id is not null then written_urls.mention_pointer end as mention_pointer,
    coalesce(urls.stripped_userinfo, false) as has_userinfo,
    urls.raw is null as is_plain
from staging.written_urls
left join forms.urls
    on
        written_urls.role = urls.role
        and written_urls.source = urls.source
        and written_urls.raw = urls.raw

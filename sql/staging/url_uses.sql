-- Every URL of a speaking document where it stands, as written.
-- grain: version × pointer
-- key: version_id, pointer
with

unnested as (
    select
        version_id,
        source,
        path,
        is_story,
        has_bare_related,
        unnest(url_uses) as url_use
    from staging.accepted_documents
)

select
    version_id,
    source,
    path,
    is_story,
    url_use.pointer as pointer,
    url_use.role as role,
    url_use.raw as raw,
    case
        when has_bare_related and starts_with(url_use.pointer, '/related/') then '/related'
        else regexp_extract(url_use.pointer, '^/related/[0-9]+')
    end as mention_pointer
from unnested

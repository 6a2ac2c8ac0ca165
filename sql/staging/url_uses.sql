-- Every URL of a speaking document where it stands, as written. What a list of related items holds beside items is no
-- appearance: a URL in it stands in the document's own.
-- grain: version × pointer × text
-- key: version_id, pointer, raw
with

unnested as (
    select
        version_id,
        source,
        path,
        is_story,
        has_bare_related,
        list_filter(range(len(related)), lambda position : related[position + 1] is null) as gaps,
        unnest(list_distinct(url_uses)) as url_use
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
        when
            len(gaps) > 0
            and list_contains(gaps, try_cast(regexp_extract(url_use.pointer, '^/related/([0-9]+)', 1) as bigint))
            then ''
        else regexp_extract(url_use.pointer, '^/related/[0-9]+')
    end as mention_pointer
from unnested

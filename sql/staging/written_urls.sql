-- Every URL of a speaking document where it stands, as written: in its front matter, at a JSON pointer, or in its body,
-- at `#L12C3`, line 12 and column 3 of the file (which no JSON pointer is: it begins with a slash or is empty). What a
-- list of related items holds beside items is no appearance: a URL in it stands in the document's own.
-- grain: version × pointer × text
-- key: version_id, pointer, raw
with

unnested as (
    select
        version_id,
        source,
        path,
        case when is_story then story_id end as story_id,
        has_bare_related,
        case
            when list_count(related) < len(related)
                then list_filter(range(len(related)), lambda position : related[position + 1] is null)
        end as gaps,
        -- Nearly always each pointer stands there once, which is a cheap thing to see.
        unnest(
            if(
                list_unique(list_transform(url_uses, lambda url_use : url_use.pointer)) = len(url_uses),
                url_uses,
                list_distinct(url_uses)
            )
        ) as url_use
    from staging.accepted_documents
),

bodies as (
    select
        accepted_documents.version_id,
        accepted_documents.source,
        accepted_documents.path,
        case when accepted_documents.is_story then accepted_documents.story_id end as story_id,
        accepted_documents.body_line,
        unnest(body_links.links) as link
    from staging.accepted_documents
    inner join forms.body_links
        on accepted_documents.version_id = body_links.version_id
)

select
    version_id,
    source,
    path,
    story_id,
    url_use.pointer as pointer,
    url_use.role as role,
    url_use.raw as raw,
    case
        when has_bare_related and starts_with(url_use.pointer, '/related/') then '/related'
        when
            gaps is not null
            and list_contains(gaps, try_cast(regexp_extract(url_use.pointer, '^/related/([0-9]+)', 1) as bigint))
            then ''
        else regexp_extract(url_use.pointer, '^/related/[0-9]+')
    end as mention_pointer
from unnested
union all
select distinct
    version_id,
    source,
    path,
    story_id,
    '#L' || (body_line + link.line - 1)::varchar || 'C' || link.column::varchar as pointer,
    'body' as role,
    link.raw as raw,
    '' as mention_pointer
from bodies

-- The appearances in stories with their clean texts, their URL forms and the ids made from them. The identity URL is
-- webUrl, else originalUrl; where neither can be used it is made of domain, title and time, and flagged.
-- grain: version × pointer
-- key: version_id, pointer
with

joined as (
    select
        items.*,
        coalesce(
            web.url_id,
            content_id('url', plain_url(items.web_url)),
            original.url_id,
            content_id('url', plain_url(items.original_url))
        ) as url_id,
        coalesce(
            web.identity_url,
            plain_identity(plain_url(items.web_url)),
            original.identity_url,
            plain_identity(plain_url(items.original_url))
        ) as known_identity,
        coalesce(titles.text, items.raw_title) as title,
        coalesce(excerpts.text, items.raw_excerpt) as excerpt,
        coalesce(titles.twice_escaped, false) or coalesce(excerpts.twice_escaped, false) as is_twice_escaped,
        nullif(lower(trim(items.provider_domain)), '') as domain,
        nullif(coalesce(names.text, items.raw_provider_name), '') as provider_name
    from staging.items
    left join forms.urls as web
        on
            items.source = web.source
            and items.web_url = web.raw
            and web.role = 'web'
            and web.problem is null
    left join forms.urls as original
        on
            items.source = original.source
            and items.original_url = original.raw
            and original.role = 'original'
            and original.problem is null
    left join forms.texts as titles
        on
            items.raw_title = titles.raw
            and titles.role = 'title'
    left join forms.texts as excerpts
        on
            items.raw_excerpt = excerpts.raw
            and excerpts.role = 'excerpt'
    left join forms.texts as names
        on
            items.raw_provider_name = names.raw
            and names.role = 'name'
    where items.is_story
),

identified as (
    select
        *,
        coalesce(
            known_identity,
            'urn:newsledger:' || coalesce(domain, '')
            || ':' || coalesce(strftime(published_at, '%Y-%m-%dT%H:%M:%SZ'), '')
            || ':' || coalesce(nullif(lower(title), ''), source || '/' || path || pointer)
        ) as identity_url
    from joined
)

select
    version_id,
    source,
    path,
    is_stale,
    seen_at,
    role,
    position,
    pointer,
    category,
    type,
    published_at,
    published_precision,
    quality,
    heat,
    published,
    featured_content,
    topics,
    images,
    has_provider,
    provider_images,
    raw_title,
    title,
    raw_excerpt,
    excerpt,
    is_twice_escaped,
    raw_provider_name,
    provider_name,
    provider_domain,
    domain,
    web_url,
    original_url,
    amp_url,
    cdn_amp_url,
    known_identity is not null as is_identified,
    url_id,
    identity_url,
    content_id2('mention', version_id, pointer) as mention_id,
    story_id,
    content_id('article', identity_url) as article_id,
    case when domain is not null then content_id2('outlet', domain, coalesce(provider_name, domain)) end as outlet_id
from identified

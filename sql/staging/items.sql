-- Every appearance in a speaking document: its main item and its related items, typed, as written. A column each for
-- what an item holds: whoever reads a few of them does not carry the lists along.
-- grain: version × pointer
-- key: version_id, pointer
with

related_items as (
    select
        version_id,
        source,
        path,
        story_id,
        is_story,
        is_stale,
        seen_at,
        has_bare_related,
        unnest(related) as item,
        generate_subscripts(related, 1) as position
    from staging.accepted_documents
),

all_items as (
    select
        version_id,
        source,
        path,
        story_id,
        is_story,
        is_stale,
        seen_at,
        'main' as role,
        0 as position,
        '' as pointer,
        item
    from staging.accepted_documents
    union all by name
    select
        version_id,
        source,
        path,
        story_id,
        is_story,
        is_stale,
        seen_at,
        'related' as role,
        position,
        case when has_bare_related then '/related' else '/related/' || (position - 1)::varchar end as pointer,
        item
    from related_items
    where item is not null
)

select
    version_id,
    source,
    path,
    story_id,
    is_story,
    is_stale,
    seen_at,
    role,
    position,
    pointer,
    item.category as category,
    item.title as raw_title,
    item.excerpt as raw_excerpt,
    item.publisheddatetime as published_at,
    item.publishedprecision as published_precision,
    item.weburl as web_url,
    item.originalurl as original_url,
    item.ampweburl as amp_url,
    item.cdnampweburl as cdn_amp_url,
    item.type as type,
    item.quality as quality,
    item.heat as heat,
    item.published as published,
    item.featuredcontent as featured_content,
    item.provider is not null as has_provider,
    item.provider.name as raw_provider_name,
    item.provider.domain as provider_domain,
    item.topics as topics,
    item.images as images,
    item.provider.images as provider_images
from all_items

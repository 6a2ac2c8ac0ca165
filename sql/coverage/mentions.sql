-- Every appearance of an article in a current story, as its main item or as a related one, with its values as written.
-- grain: one appearance
-- key: mention_id
select
    mention_id,
    version_id,
    story_id,
    article_id,
    role,
    position,
    pointer,
    item.title as title,
    item.excerpt as excerpt,
    item.type as type,
    item.publisheddatetime as published_at,
    item.publishedprecision as published_precision,
    item.quality as quality,
    item.heat as heat,
    item.weburl as web_url,
    item.originalurl as original_url,
    item.ampweburl as amp_url,
    item.cdnampweburl as cdn_amp_url,
    item.provider.name as provider_name,
    item.provider.domain as provider_domain,
    item.category as category,
    item.published as published,
    item.featuredcontent as featured_content,
    item.topics as topics,
    item.images as images,
    item.provider is not null as has_provider,
    item.provider.images as provider_images,
    outlet_id,
    is_twice_escaped
from staging.mentions

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
    title as clean_title,
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
    outlet_id,
    is_twice_escaped
from staging.mentions

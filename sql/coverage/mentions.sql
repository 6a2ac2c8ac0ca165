-- Every appearance of an article in a current story, as its main item or as a related one, with its values as written.
-- grain: one appearance
-- key: mention_id
-- kept: as a view
select
    mention_id,
    version_id,
    story_id,
    article_id,
    role,
    position,
    pointer,
    raw_title as title,
    title as clean_title,
    raw_excerpt as excerpt,
    type,
    published_at,
    published_precision,
    quality,
    heat,
    web_url,
    original_url,
    amp_url,
    cdn_amp_url,
    raw_provider_name as provider_name,
    provider_domain,
    category,
    published,
    featured_content,
    topics,
    images,
    has_provider,
    provider_images,
    outlet_id,
    is_twice_escaped
from staging.mentions

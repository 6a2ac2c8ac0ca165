-- What the coverage stage makes of the log, written by hand against ready columns: flat appearances (ready.items), URL
-- uses (ready.uses), the forms of distinct URLs and texts (ready.urls, ready.texts) and versions (ready.versions). The
-- same joins and aggregates, no nested value, nothing made twice, and each statement one Parquet file.

create table mentions as
with joined as (
    select
        items.*,
        web.url_id as web_url_id,
        coalesce(web.identity_url, original.identity_url) as identity_url,
        coalesce(web.url_id, original.url_id) as url_id,
        coalesce(titles.text, items.raw_title) as title,
        coalesce(excerpts.text, items.raw_excerpt) as excerpt,
        coalesce(titles.twice_escaped, excerpts.twice_escaped) as is_twice_escaped,
        lower(items.provider_domain) as domain,
        coalesce(names.text, items.raw_provider_name) as provider_name
    from ready.items as items
    left join ready.urls as web on items.source = web.source and items.web_url = web.raw
    left join ready.urls as original on items.source = original.source and items.original_url = original.raw
    left join ready.texts as titles on items.raw_title = titles.raw
    left join ready.texts as excerpts on items.raw_excerpt = excerpts.raw
    left join ready.texts as names on items.raw_provider_name = names.raw
    where items.is_story
)
select
    *,
    content_id2('mention', version_id, pointer) as mention_id,
    content_id2('story', source, path) as story_id,
    content_id('article', identity_url) as article_id,
    content_id2('outlet', domain, provider_name) as outlet_id
from joined;

copy (
    select
        mention_id, version_id, story_id, article_id, role, position, pointer, raw_title, title, raw_excerpt, type,
        published_at, published_precision, quality, heat, web_url, original_url, amp_url, cdn_amp_url,
        raw_provider_name, provider_domain, category, published, featured_content, topics, images, has_provider,
        provider_images, outlet_id, is_twice_escaped
    from mentions order by mention_id
) to '{folder}/mentions.parquet' {parquet};

copy (
    with ranked as (
        select
            mentions.article_id, mentions.story_id, mentions.identity_url, mentions.url_id, mentions.title,
            mentions.excerpt, mentions.type, mentions.published_at, mentions.published_precision, mentions.quality,
            mentions.outlet_id, amp.fetch_url as amp_url, cdn_amp.fetch_url as cdn_amp_url, ranks.rank
        from mentions
        inner join (
            select mention_id, row_number() over (order by role, seen_at desc, source, path, position) as rank
            from mentions
        ) as ranks on mentions.mention_id = ranks.mention_id
        left join ready.urls as amp on mentions.source = amp.source and mentions.amp_url = amp.raw
        left join ready.urls as cdn_amp on mentions.source = cdn_amp.source and mentions.cdn_amp_url = cdn_amp.raw
    )
    select
        article_id,
        any_value(identity_url) as identity_url,
        arg_min(url_id, rank) as url_id,
        arg_min(title, rank) as title,
        arg_min(excerpt, rank) as excerpt,
        arg_min(type, rank) as type,
        arg_min(published_at, rank) as published_at,
        arg_min(published_precision, rank) as published_precision,
        arg_min(quality, rank) as quality,
        arg_min(outlet_id, rank) as outlet_id,
        arg_min(amp_url, rank) as amp_url,
        arg_min(cdn_amp_url, rank) as cdn_amp_url,
        count(*) as mention_count,
        count(distinct story_id) as story_count
    from ranked group by article_id order by article_id
) to '{folder}/articles.parquet' {parquet};

copy (
    select
        main.story_id, main.source, main.path, main.version_id, main.article_id, main.category, main.title,
        main.published_at, main.heat, main.quality, coalesce(counts.related, 0) as related_count
    from mentions as main
    left join (select story_id, count(*) as related from mentions where role = 'related' group by story_id) as counts
        on main.story_id = counts.story_id
    where main.role = 'main' order by main.story_id
) to '{folder}/stories.parquet' {parquet};

copy (
    select
        story_id, article_id, arg_min(role, position) as role, min(position) as rank,
        arg_min(quality, position) as quality
    from mentions group by story_id, article_id order by story_id, article_id
) to '{folder}/story_articles.parquet' {parquet};

copy (
    select
        topics.story_id, content_id2('topic', topics.source, coalesce(texts.text, topics.raw)) as topic_id,
        min(topics.position) as position
    from (
        select story_id, source, unnest(topics) as raw, generate_subscripts(topics, 1) as position
        from mentions where role = 'main'
    ) as topics
    left join ready.texts as texts on topics.raw = texts.raw
    group by topics.story_id, topic_id order by topics.story_id, topic_id
) to '{folder}/story_topics.parquet' {parquet};

copy (
    select outlet_id, any_value(domain) as domain, any_value(provider_name) as name, count(*) as times_seen
    from mentions group by outlet_id order by outlet_id
) to '{folder}/outlets.parquet' {parquet};

create table url_uses as
select
    urls.url_id, uses.version_id, uses.pointer, uses.role, uses.raw, uses.source, uses.path, uses.mention_pointer,
    content_id2('story', uses.source, uses.path) as story_id
from ready.uses as uses
inner join ready.urls as urls on uses.source = urls.source and uses.raw = urls.raw;

copy (
    select url_id, version_id, pointer, role, raw, source, path, mention_pointer, story_id
    from url_uses order by version_id, pointer, raw
) to '{folder}/url_uses.parquet' {parquet};

copy (
    select urls.*, uses.use_count
    from (
        select
            url_id, any_value(fetch_url) as fetch_url, any_value(identity_url) as identity_url, any_value(host) as host,
            any_value(registrable_domain) as registrable_domain, any_value(problem) as problem
        from ready.urls group by url_id
    ) as urls
    inner join (select url_id, count(*) as use_count from url_uses group by url_id) as uses on urls.url_id = uses.url_id
    order by urls.url_id
) to '{folder}/urls.parquet' {parquet};

create table image_uses as
select
    content_id('image', urls.fetch_url) as image_id, urls.url_id, images.version_id, images.role, images.position,
    images.image.width as width, images.image.height as height, images.image.iscached as is_cached,
    images.image.title as title, images.owner_pointer || '/' || images.position as pointer
from (
    select
        version_id, source, pointer as owner_pointer, 'image' as role, unnest(images) as image,
        generate_subscripts(images, 1) as position
    from ready.items
    union all
    select
        version_id, source, pointer || '/provider' as owner_pointer, 'provider_image' as role,
        unnest(provider_images) as image, generate_subscripts(provider_images, 1) as position
    from ready.items
) as images
inner join ready.urls as urls on images.source = urls.source and images.image.url = urls.raw;

copy (
    select image_id, url_id, version_id, pointer, role, position, width, height, is_cached, title
    from image_uses order by version_id, pointer
) to '{folder}/image_uses.parquet' {parquet};

copy (
    select image_id, url_id, mode(width) as width, mode(height) as height, bool_or(is_cached) as is_cached, count(*) as uses
    from image_uses group by image_id, url_id order by image_id
) to '{folder}/images.parquet' {parquet};

copy (
    select
        version_id, any_value(source) as source, any_value(path) as path, min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at, arg_min(heat, seen_at) as heat, arg_min(quality, seen_at) as quality
    from ready.versions group by version_id order by version_id
) to '{folder}/document_versions.parquet' {parquet};

-- The key paths that the typed columns hold, over all of history, with the type that each column gives. A column says
-- nothing where a leftover stands at the same place: it then says how the value was written. The log is read once and
-- grouped by which columns are filled, so that a million items are some hundred rows before a path is made of them.
-- grain: source × collection × time seen × key path × type
-- key: source, collection, seen_at, pointer, type
with

documents as (
    select
        source,
        coalesce(collection, '') as collection,
        seen_at,
        refresh_id,
        path,
        item,
        related,
        list_filter(
            list_transform(leftovers, lambda leftover : leftover.pointer),
            lambda pointer : regexp_matches(pointer, '(^|/publishedDateTime|/related|/(related|images|topics)/[0-9]+)$')
        ) as overlaid
    from log.documents
    where status = 'accepted'
),

items as (
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        overlaid,
        '' as item_pointer,
        '' as place,
        related is not null and not list_contains(overlaid, '/related') as has_related,
        item
    from documents
    union all by name
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        overlaid,
        '/related/*' as item_pointer,
        case
            when len(overlaid) = 0 then ''
            else '/related/' || (generate_subscripts(related, 1) - 1)::varchar
        end as place,
        false as has_related,
        unnest(related) as item
    from documents
    where not list_contains(overlaid, '/related')
),

shapes as (
    select
        source,
        collection,
        seen_at,
        item_pointer,
        min(refresh_id) as refresh_id,
        min(path) as path,
        has_related,
        item is not null as has_item,
        item is null and not list_contains(overlaid, place) as has_null,
        item.category is not null as has_category,
        item.title is not null as has_title,
        item.excerpt is not null as has_excerpt,
        item.publisheddatetime is not null
        and not list_contains(overlaid, place)
        and not list_contains(overlaid, place || '/publishedDateTime') as has_published_at,
        item.weburl is not null as has_web_url,
        item.originalurl is not null as has_original_url,
        item.ampweburl is not null as has_amp_url,
        item.cdnampweburl is not null as has_cdn_amp_url,
        item.type is not null as has_type,
        item.quality is not null as has_quality,
        item.heat is not null as has_heat,
        item.published is not null as has_published,
        item.featuredcontent is not null as has_featured,
        item.topics is not null as has_topics,
        list_count(item.topics) > 0 as has_topic,
        -- A list has a null of its own where more of its elements are null than leftovers stand in their places.
        len(item.topics) - list_count(item.topics)
        > len(list_filter(overlaid, lambda pointer : starts_with(pointer, place || '/topics/'))) as has_null_topic,
        item.images is not null as has_images,
        list_count(item.images) > 0 as has_image,
        len(item.images) - list_count(item.images)
        > len(list_filter(overlaid, lambda pointer : starts_with(pointer, place || '/images/'))) as has_null_image,
        list_bool_or(list_transform(item.images, lambda image : image.url is not null)) as has_image_url,
        list_bool_or(list_transform(item.images, lambda image : image.width is not null)) as has_image_width,
        list_bool_or(list_transform(item.images, lambda image : image.height is not null)) as has_image_height,
        list_bool_or(list_transform(item.images, lambda image : image.iscached is not null)) as has_image_cached,
        list_bool_or(list_transform(item.images, lambda image : image.title is not null)) as has_image_title,
        item.provider is not null as has_provider,
        item.provider.name is not null as has_name,
        item.provider.domain is not null as has_domain,
        item.provider.images is not null as has_logos,
        list_count(item.provider.images) > 0 as has_logo,
        len(item.provider.images) - list_count(item.provider.images)
        > len(list_filter(overlaid, lambda pointer : starts_with(pointer, place || '/provider/images/')))
            as has_null_logo,
        list_bool_or(list_transform(item.provider.images, lambda image : image.url is not null)) as has_logo_url,
        list_bool_or(list_transform(item.provider.images, lambda image : image.width is not null)) as has_logo_width,
        list_bool_or(list_transform(item.provider.images, lambda image : image.height is not null)) as has_logo_height,
        list_bool_or(list_transform(item.provider.images, lambda image : image.iscached is not null))
            as has_logo_cached,
        list_bool_or(list_transform(item.provider.images, lambda image : image.title is not null)) as has_logo_title
    from items
    group by all
),

named as (
    select
        source,
        collection,
        seen_at,
        refresh_id,
        path,
        item_pointer,
        unnest([
            { 'seen': has_item, 'step': '', 'type': 'mapping' },
            { 'seen': has_null, 'step': '', 'type': 'null' },
            { 'seen': has_related, 'step': '/related', 'type': 'list' },
            { 'seen': has_category, 'step': '/category', 'type': 'string' },
            { 'seen': has_title, 'step': '/title', 'type': 'string' },
            { 'seen': has_excerpt, 'step': '/excerpt', 'type': 'string' },
            { 'seen': has_published_at, 'step': '/publishedDateTime', 'type': 'timestamp' },
            { 'seen': has_web_url, 'step': '/webUrl', 'type': 'string' },
            { 'seen': has_original_url, 'step': '/originalUrl', 'type': 'string' },
            { 'seen': has_amp_url, 'step': '/ampWebUrl', 'type': 'string' },
            { 'seen': has_cdn_amp_url, 'step': '/cdnAmpWebUrl', 'type': 'string' },
            { 'seen': has_type, 'step': '/type', 'type': 'string' },
            { 'seen': has_quality, 'step': '/quality', 'type': 'integer' },
            { 'seen': has_heat, 'step': '/heat', 'type': 'integer' },
            { 'seen': has_published, 'step': '/published', 'type': 'boolean' },
            { 'seen': has_featured, 'step': '/featuredContent', 'type': 'string' },
            { 'seen': has_topics, 'step': '/topics', 'type': 'list' },
            { 'seen': has_topic, 'step': '/topics/*', 'type': 'string' },
            { 'seen': has_null_topic, 'step': '/topics/*', 'type': 'null' },
            { 'seen': has_images, 'step': '/images', 'type': 'list' },
            { 'seen': has_image, 'step': '/images/*', 'type': 'mapping' },
            { 'seen': has_null_image, 'step': '/images/*', 'type': 'null' },
            { 'seen': has_image_url, 'step': '/images/*/url', 'type': 'string' },
            { 'seen': has_image_width, 'step': '/images/*/width', 'type': 'integer' },
            { 'seen': has_image_height, 'step': '/images/*/height', 'type': 'integer' },
            { 'seen': has_image_cached, 'step': '/images/*/isCached', 'type': 'boolean' },
            { 'seen': has_image_title, 'step': '/images/*/title', 'type': 'string' },
            { 'seen': has_provider, 'step': '/provider', 'type': 'mapping' },
            { 'seen': has_name, 'step': '/provider/name', 'type': 'string' },
            { 'seen': has_domain, 'step': '/provider/domain', 'type': 'string' },
            { 'seen': has_logos, 'step': '/provider/images', 'type': 'list' },
            { 'seen': has_logo, 'step': '/provider/images/*', 'type': 'mapping' },
            { 'seen': has_null_logo, 'step': '/provider/images/*', 'type': 'null' },
            { 'seen': has_logo_url, 'step': '/provider/images/*/url', 'type': 'string' },
            { 'seen': has_logo_width, 'step': '/provider/images/*/width', 'type': 'integer' },
            { 'seen': has_logo_height, 'step': '/provider/images/*/height', 'type': 'integer' },
            { 'seen': has_logo_cached, 'step': '/provider/images/*/isCached', 'type': 'boolean' },
            { 'seen': has_logo_title, 'step': '/provider/images/*/title', 'type': 'string' }
        ]) as key
    from shapes
)

select
    source,
    collection,
    seen_at,
    item_pointer || key.step as pointer,
    key.type as type,
    min(refresh_id) as refresh_id,
    min(path) as path
from named
where key.seen
group by all

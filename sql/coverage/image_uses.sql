-- Every place an image stands in: in the list of an item or of its provider.
-- grain: owner × position
-- key: version_id, pointer
with

owners as (
    select
        version_id,
        source,
        pointer as owner_pointer,
        'image' as role,
        images
    from staging.items
    union all
    select
        version_id,
        source,
        pointer || '/provider' as owner_pointer,
        'provider_image' as role,
        provider_images as images
    from staging.items
),

unnested as (
    select
        version_id,
        source,
        owner_pointer,
        role,
        unnest(images) as image,
        generate_subscripts(images, 1) - 1 as position
    from owners
)

select
    content_id('image', coalesce(urls.fetch_url, unnested.image.url)) as image_id,
    coalesce(urls.url_id, content_id('url', unnested.image.url)) as url_id,
    unnested.version_id,
    unnested.owner_pointer || '/images/' || unnested.position::varchar || '/url' as pointer,
    unnested.owner_pointer,
    unnested.role,
    unnested.position,
    unnested.image.width as width,
    unnested.image.height as height,
    unnested.image.iscached as is_cached,
    unnested.image.title as title
from unnested
left join forms.urls
    on
        unnested.role = urls.role
        and unnested.source = urls.source
        and unnested.image.url = urls.raw
where urls.raw is not null or is_plain_url(unnested.image.url)

-- What is counted beside a row is what can be counted in the tables: mentions and stories of an article, related items
-- of a story, places of a URL and of an image, mentions of an outlet and of a provider.
-- on: coverage.articles
-- severity: error
-- blocking: yes
-- message: A count beside a row is not what the tables hold
with

articles_in_mentions as (
    select
        article_id,
        count(*) as mention_count,
        count(distinct story_id) as story_count
    from coverage.mentions
    group by article_id
),

related_in_mentions as (
    select
        story_id,
        count(*) filter (role = 'related') as related_count,
        count(*) filter (role = 'main') as main_count
    from coverage.mentions
    group by story_id
),

uses_of_urls as (
    select
        url_id,
        count(*) as use_count
    from coverage.url_uses
    group by url_id
),

uses_of_images as (
    select
        image_id,
        count(*) as use_count
    from coverage.image_uses
    group by image_id
),

outlets_in_mentions as (
    select
        outlet_id,
        count(*) as times_seen
    from coverage.mentions
    where outlet_id is not null
    group by outlet_id
),

providers_in_outlets as (
    select
        domain,
        count(*) as name_count,
        sum(times_seen) as times_seen
    from coverage.outlets
    group by domain
)

select
    'coverage.articles' as relation,
    articles.article_id::varchar as id
from coverage.articles
left join articles_in_mentions
    on articles.article_id = articles_in_mentions.article_id
where
    articles.mention_count is distinct from articles_in_mentions.mention_count
    or articles.story_count is distinct from articles_in_mentions.story_count
union all
select
    'coverage.stories' as relation,
    stories.story_id::varchar as id
from coverage.stories
left join related_in_mentions
    on stories.story_id = related_in_mentions.story_id
where
    stories.related_count is distinct from related_in_mentions.related_count
    or related_in_mentions.main_count is distinct from 1
union all
select
    'coverage.urls' as relation,
    urls.url_id::varchar as id
from coverage.urls
left join uses_of_urls
    on urls.url_id = uses_of_urls.url_id
where urls.use_count is distinct from uses_of_urls.use_count
union all
select
    'coverage.images' as relation,
    images.image_id::varchar as id
from coverage.images
left join uses_of_images
    on images.image_id = uses_of_images.image_id
where images.use_count is distinct from uses_of_images.use_count
union all
select
    'coverage.outlets' as relation,
    outlets.outlet_id::varchar as id
from coverage.outlets
left join outlets_in_mentions
    on outlets.outlet_id = outlets_in_mentions.outlet_id
where outlets.times_seen is distinct from outlets_in_mentions.times_seen
union all
select
    'coverage.providers' as relation,
    providers.domain as id
from coverage.providers
left join providers_in_outlets
    on providers.domain = providers_in_outlets.domain
where
    providers.times_seen is distinct from providers_in_outlets.times_seen
    or providers.name_count is distinct from providers_in_outlets.name_count

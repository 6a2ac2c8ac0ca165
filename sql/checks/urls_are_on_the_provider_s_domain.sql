-- The page of an item is on the domain that its provider is said to have.
-- on: coverage.mentions
-- severity: warn
-- message: A URL is on another domain than its provider
select
    mentions.mention_id,
    mentions.provider_domain,
    urls.host,
    mentions.web_url
from coverage.mentions
inner join coverage.url_uses
    on
        mentions.version_id = url_uses.version_id
        and mentions.pointer || '/webUrl' = url_uses.pointer
        and mentions.web_url = url_uses.raw
inner join coverage.urls
    on url_uses.url_id = urls.url_id
where
    urls.problem is null
    and lower(trim(mentions.provider_domain)) <> ''
    and urls.host <> lower(trim(mentions.provider_domain))
    and urls.registrable_domain <> lower(trim(mentions.provider_domain))
    and not ends_with(urls.host, '.' || lower(trim(mentions.provider_domain)))

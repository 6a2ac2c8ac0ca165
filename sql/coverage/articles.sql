-- Each article once, whichever way its URL was written and in however many stories it stands. Each value is the best
-- known one: of a main item before a related one, of a newer meaning before an older one. What the others said stays in
-- coverage.mentions.
-- grain: one identity URL
-- key: article_id
with

ranked as (
    select
        mentions.*,
        amp.fetch_url as amp_fetch_url,
        cdn_amp.fetch_url as cdn_amp_fetch_url,
        row(
            if(mentions.role = 'main', 0, 1),
            -epoch_us(mentions.seen_at),
            mentions.source,
            mentions.path,
            mentions.position
        ) as precedence
    from staging.mentions
    left join forms.urls as amp
        on
            mentions.source = amp.source
            and mentions.item.ampweburl = amp.raw
            and amp.problem is null
    left join forms.urls as cdn_amp
        on
            mentions.source = cdn_amp.source
            and mentions.item.cdnampweburl = cdn_amp.raw
            and cdn_amp.problem is null
)

select
    article_id,
    any_value(identity_url) as identity_url,
    any_value(is_identified) as is_identified,
    arg_min(url_id, precedence) as url_id,
    arg_min(title, precedence) as title,
    arg_min(excerpt, precedence) as excerpt,
    arg_min(item.type, precedence) as type,
    arg_min(item.publisheddatetime, precedence) as published_at,
    arg_min(item.publishedprecision, precedence) as published_precision,
    arg_min(item.quality, precedence) as quality,
    arg_min(outlet_id, precedence) as outlet_id,
    arg_min(amp_fetch_url, precedence) as amp_url,
    arg_min(cdn_amp_fetch_url, precedence) as cdn_amp_url,
    count(*) as mention_count,
    count(distinct story_id) as story_count
from ranked
group by article_id

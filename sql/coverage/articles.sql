-- Each article once, whichever way its URL was written and in however many stories it stands. Each value is the best
-- known one: of a main item before a related one, of a newer meaning before an older one. What the others said stays in
-- coverage.mentions.
-- grain: one identity URL
-- key: article_id
-- in parts of: staging.mentions
with

-- Which of the appearances knows best: one number, so that no aggregate compares texts.
precedences as (
    select
        mention_id,
        row_number() over (
            order by
                role asc,
                seen_at desc,
                source asc,
                path asc,
                position asc
        ) as precedence
    from staging.mentions
    where in_part(article_id)
),

ranked as (
    select
        mentions.article_id,
        mentions.story_id,
        mentions.identity_url,
        mentions.is_identified,
        mentions.url_id,
        mentions.title,
        mentions.excerpt,
        mentions.type,
        mentions.published_at,
        mentions.published_precision,
        mentions.quality,
        mentions.outlet_id,
        coalesce(amp.fetch_url, plain_url(mentions.amp_url)) as amp_fetch_url,
        coalesce(cdn_amp.fetch_url, plain_url(mentions.cdn_amp_url)) as cdn_amp_fetch_url,
        precedences.precedence
    from staging.mentions
    inner join precedences
        on mentions.mention_id = precedences.mention_id
    left join forms.urls as amp
        on
            mentions.source = amp.source
            and mentions.amp_url = amp.raw
            and amp.role = 'amp'
            and amp.problem is null
    left join forms.urls as cdn_amp
        on
            mentions.source = cdn_amp.source
            and mentions.cdn_amp_url = cdn_amp.raw
            and cdn_amp.role = 'cdn_amp'
            and cdn_amp.problem is null
    where in_part(mentions.article_id)
)

select
    article_id,
    any_value(identity_url) as identity_url,
    any_value(is_identified) as is_identified,
    arg_min(url_id, precedence) as url_id,
    arg_min(title, precedence) as title,
    arg_min(excerpt, precedence) as excerpt,
    arg_min(type, precedence) as type,
    arg_min(published_at, precedence) as published_at,
    arg_min(published_precision, precedence) as published_precision,
    arg_min(quality, precedence) as quality,
    arg_min(outlet_id, precedence) as outlet_id,
    arg_min(amp_fetch_url, precedence) as amp_url,
    arg_min(cdn_amp_fetch_url, precedence) as cdn_amp_url,
    count(*) as mention_count,
    count(distinct story_id) as story_count
from ranked
group by article_id

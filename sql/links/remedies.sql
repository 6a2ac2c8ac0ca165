-- What could stand in the place of each link that is dead, moved, a soft 404 or insecure, the best first
-- (docs/links.md): where it moved for good and answered; the same page over https; another form of the same article;
-- the web archive's copy nearest to its publication. A replacement answered when it was asked last, or an archive
-- vouches for it; one that is known to be broken, blocked or insecure is none. confidence: 0.95 of the verdict's for a
-- move, 0.95 for https, 0.9 for the article's web or original form, 0.8 for AMP, 0.6 for AMP on a cache, 0.7 for a copy
-- of within a year of publication, else 0.5.
-- grain: URL × rank
-- key: url_id, rank
with

wanting as (
    select
        urls.url_id,
        urls.fetch_url,
        urls.identity_url,
        states.last_verdict,
        states.last_night
    from staging.link_states as states
    inner join coverage.urls
        on states.url_id = urls.url_id
    where
        states.state = 'dead'
        or states.last_verdict in ('moved', 'soft_404', 'insecure')
),

living as (
    select
        urls.url_id,
        urls.fetch_url,
        urls.identity_url,
        states.last_night
    from staging.link_states as states
    inner join coverage.urls
        on states.url_id = urls.url_id
    where states.last_verdict = 'alive'
),

-- Whoever sends every stranger to a login or a consent page has moved nothing there.
moved as (
    select
        wanting.url_id,
        1 as preference,
        'moved_permanently' as reason,
        verdicts.moved_permanently_to as replacement,
        round(0.95 * verdicts.confidence, 3) as confidence,
        verdicts.url_id as witness_url_id,
        verdicts.night,
        null::uuid as article_id,
        null::timestamptz as snapshot_at,
        null::varchar as check_id
    from wanting
    inner join links.verdicts
        on
            wanting.url_id = verdicts.url_id
            and wanting.last_night = verdicts.night
    where
        wanting.last_verdict = 'moved'
        and not is_door(regexp_extract(verdicts.moved_permanently_to, '^https?://(.*)$', 1))
),

over_https as (
    select
        wanting.url_id,
        2 as preference,
        'https_twin' as reason,
        living.fetch_url as replacement,
        0.95 as confidence,
        living.url_id as witness_url_id,
        living.last_night as night,
        null::uuid as article_id,
        null::timestamptz as snapshot_at,
        null::varchar as check_id
    from wanting
    inner join living
        on wanting.identity_url = living.identity_url
    where starts_with(living.fetch_url, 'https://')
),

-- Every form of an article, by the key it stood under.
forms_of_articles as (
    select
        url_uses.url_id,
        mentions.article_id,
        min(list_position(['web', 'original', 'amp', 'cdn_amp'], url_uses.role)) as form
    from coverage.url_uses
    inner join coverage.mentions
        on
            url_uses.version_id = mentions.version_id
            and url_uses.mention_pointer = mentions.pointer
    where url_uses.role in ('web', 'original', 'amp', 'cdn_amp')
    group by
        url_uses.url_id,
        mentions.article_id
),

same_article as (
    select
        wanting.url_id,
        2 + other.form as preference,
        'same_article' as reason,
        living.fetch_url as replacement,
        case other.form when 3 then 0.8 when 4 then 0.6 else 0.9 end as confidence,
        living.url_id as witness_url_id,
        living.last_night as night,
        other.article_id,
        null::timestamptz as snapshot_at,
        null::varchar as check_id
    from wanting
    inner join forms_of_articles as own
        on wanting.url_id = own.url_id
    inner join forms_of_articles as other
        on
            own.article_id = other.article_id
            and own.url_id <> other.url_id
    inner join living
        on other.url_id = living.url_id
),

snapshots as (
    select
        url_id::uuid as url_id,
        arg_max(snapshot_url, started_at) as snapshot_url,
        arg_max(snapshot_at, started_at) as snapshot_at,
        arg_max(check_id, started_at) as check_id,
        arg_max(night, started_at) as night
    from log.link_checks
    where
        kind = 'archive'
        and snapshot_url is not null
    group by url_id
),

archived as (
    select
        wanting.url_id,
        7 as preference,
        'archived' as reason,
        snapshots.snapshot_url as replacement,
        if(abs(date_diff('day', published_urls.published_at, snapshots.snapshot_at)) <= 366, 0.7, 0.5) as confidence,
        null::uuid as witness_url_id,
        snapshots.night,
        null::uuid as article_id,
        snapshots.snapshot_at,
        snapshots.check_id
    from wanting
    inner join snapshots
        on wanting.url_id = snapshots.url_id
    left join staging.published_urls
        on wanting.url_id = published_urls.url_id
    where wanting.last_verdict <> 'moved'
),

proposed as (
    select * from moved
    union all
    select * from over_https
    union all
    select * from same_article
    union all
    select * from archived
),

-- Known by what it answered last, whatever is told of it elsewhere.
unfit as (
    select urls.fetch_url
    from staging.link_states as states
    inner join staging.verdict_groups
        on states.last_verdict = verdict_groups.verdict
    inner join coverage.urls
        on states.url_id = urls.url_id
    where not verdict_groups.is_alive
),

distinct_proposals as (
    select proposed.*
    from proposed
    inner join wanting
        on proposed.url_id = wanting.url_id
    anti join unfit
        on proposed.replacement = unfit.fetch_url
    where proposed.replacement <> wanting.fetch_url
    qualify row_number() over (
        partition by proposed.url_id, proposed.replacement
        order by
            proposed.preference,
            proposed.article_id
    ) = 1
)

select
    found.url_id,
    row_number() over (
        partition by found.url_id
        order by
            found.preference asc,
            found.confidence desc,
            found.replacement asc
    ) as rank,
    found.replacement,
    found.reason,
    found.confidence,
    found.night,
    if(found.check_id is null, verdicts.check_ids, [found.check_id]) as check_ids,
    found.article_id,
    found.snapshot_at
from distinct_proposals as found
left join links.verdicts
    on
        found.witness_url_id = verdicts.url_id
        and found.night = verdicts.night

-- What one night's observations of a URL amount to, by the rules of docs/links.md; the log itself is never changed.
-- Made night by night; of the nights before, only the page counts that a link had on its last good one. Each client's
-- last answer is judged alone, then the better of the two stands. What a void sweep observed is left out. confidence:
-- 1 where the answer speaks for itself (alive, malformed, refused), 0.95 gone or 0.9 otherwise where both clients
-- agree, a shared row answers or the name does not exist, 0.6 on one client's word, 0.6 for one soft-404 signal and
-- 0.8 for more; a fifth off where the clients disagree; 0 when postponed.
-- grain: URL × night
-- key: url_id, night
with void_refreshes as (
    select distinct refresh_id
    from log.refreshes
    where event = 'swept' and void_reason is not null
),

tonight as (
    select
        checks.*,
        coalesce(checks.client, '') as speaker,
        -- A URL asked with HEAD and then with GET is judged by the GET alone.
        coalesce(checks.method, '') <> 'HEAD'
        or not bool_or(coalesce(checks.method = 'GET', false)) over (
            partition by checks.url_id, checks.night, checks.refresh_id, checks.client
        ) as is_counted
    from log.link_checks as checks
    anti join void_refreshes on checks.refresh_id = void_refreshes.refresh_id
    where checks.kind in ('request', 'shared', 'guard', 'postponed')
),

-- What each host sent for a path that cannot exist: the last hop of that night's probe, if it was a page.
nowhere as (
    select
        checks.night,
        checks.refresh_id,
        urls.host,
        arg_max(checks.http_status, checks.hop) as http_status,
        arg_max(coalesce(checks.fingerprint, ''), checks.hop) as fingerprint,
        arg_max(coalesce(checks.challenge, ''), checks.hop) as challenge,
        list(checks.check_id order by checks.hop, checks.check_id) as check_ids
    from log.link_checks as checks
    inner join forms.asked_urls as urls on checks.url_id = urls.url_id
    where checks.kind = 'probe'
    group by checks.night, checks.refresh_id, urls.host
    having http_status between 200 and 299 and fingerprint <> '' and challenge = ''
),

last_attempts as (
    select *
    from tonight
    where is_counted
    qualify row_number() over (
        partition by url_id, night, refresh_id, speaker, hop
        order by attempt desc
    ) = 1
),

-- The way each client went: its last observation, and what its redirects say.
ways as (
    select
        url_id,
        night,
        refresh_id,
        speaker,
        bool_or(kind = 'postponed') as was_postponed,
        max(hop) as hops,
        arg_max(kind, hop) as kind,
        arg_max(method, hop) as method,
        arg_max(coalesce(http_status, -1), hop) as http_status,
        arg_max(coalesce(error_class, ''), hop) as error_class,
        arg_max(request_url, hop) as final_url,
        arg_max(coalesce(title, ''), hop) as title,
        arg_max(coalesce(fingerprint, ''), hop) as fingerprint,
        arg_max(coalesce(challenge, ''), hop) as challenge,
        arg_max(coalesce(bytes_read, 0), hop) as bytes_read,
        max(started_at) as checked_at,
        -- The first hop that is no permanent redirect; permanent ones beyond it promise nothing.
        coalesce(min(hop) filter (where coalesce(http_status, 0) not in (301, 308)), max(hop) + 1) as permanent_hops,
        map(list(hop order by hop), list(request_url order by hop)) as url_by_hop
    from last_attempts
    group by url_id, night, refresh_id, speaker
),

-- Two URLs are one place when they differ only in scheme, leading www., default port or fragment.
places as (
    select
        ways.*,
        urls.host,
        list_transform(
            [urls.fetch_url, urls.identity_url, ways.final_url],
            lambda url: regexp_replace(
                regexp_replace(url, '#.*$', ''),
                '^https?://(www\.)*([^/?]*?)(:80|:443)?([/?]|$)',
                '\2\4'
            )
        ) as places
    from ways
    inner join forms.asked_urls as urls on ways.url_id = urls.url_id
),

compared as (
    select
        *,
        places[1] as asked_place,
        places[2] as identity_place,
        places[3] as final_place
    from places
),

endings as materialized (
    select
        *,
        final_place not in (asked_place, identity_place) as ended_elsewhere,
        regexp_matches(asked_place, '^[^/?]*/?$') as is_home_page,
        lower(regexp_extract(asked_place, '^[^/?]*([^?]*)', 1)) as asked_path,
        lower(regexp_extract(final_place, '^[^/?]*([^?]*)', 1)) as final_path,
        -- Whoever sends every stranger to the same door has lost nothing: a login or a consent page judges no link.
        is_door(final_place) as is_door,
        -- The last part of the asked path, without its extension: where the new path has it, the page was renamed.
        regexp_replace(
            lower(regexp_extract(asked_place, '([^/?]*)/?(\?.*)?$', 1)), '\.\w{1,5}$', ''
        ) as asked_name,
        http_status between 200 and 299 and error_class = '' and challenge = '' and kind = 'request' as is_success
    from compared
),

many_to_one as (
    select
        night,
        host,
        final_place
    from endings
    where
        is_success
        and ended_elsewhere
        and not is_door
        and not (len(asked_name) > 3 and contains(lower(final_place), asked_name))
    group by night, host, final_place
    having count(distinct identity_place) >= 3
),

-- Pages that three or more URLs of a host share tonight.
shared_pages as (
    select
        night,
        host,
        title,
        fingerprint
    from endings
    where is_success and fingerprint <> ''
    group by night, host, title, fingerprint
    having count(distinct identity_place) >= 3
),

signalled as (
    select
        endings.*,
        case
            when endings.is_success and not endings.is_home_page
                then list_filter(
                    [
                        case
                            when
                                endings.ended_elsewhere
                                and regexp_matches(endings.final_place, '^[^/?]*/?(index\.\w+)?$')
                                then 'ended_at_root'
                        end,
                        case
                            when
                                endings.ended_elsewhere
                                and regexp_matches(endings.final_path, '(^|/)404([/.]|$)|not[-_]?found')
                                and not regexp_matches(endings.asked_path, '404|not[-_]?found')
                                then 'not_found_path'
                        end,
                        case when many_to_one.final_place is not null then 'many_to_one_target' end,
                        case
                            when
                                endings.method = 'GET'
                                and (endings.bytes_read = 0 or endings.http_status in (204, 205))
                                then 'empty_answer'
                        end,
                        case
                            when nowhere.fingerprint is not null and not endings.is_door then 'same_as_random_path'
                        end,
                        case
                            when
                                shared_pages.fingerprint is not null
                                and not endings.is_door
                                and records.page_title <> endings.title
                                and records.page_fingerprint <> endings.fingerprint
                                then 'became_a_shared_page'
                        end
                    ],
                    lambda signal: signal is not null
                )
            else []::varchar[]
        end as signals,
        nowhere.check_ids as nowhere_check_ids
    from endings
    left join many_to_one
        on
            endings.night = many_to_one.night
            and endings.host = many_to_one.host
            and endings.final_place = many_to_one.final_place
            and endings.ended_elsewhere
            and not (len(endings.asked_name) > 3 and contains(lower(endings.final_place), endings.asked_name))
    left join nowhere
        on
            endings.night = nowhere.night
            and endings.refresh_id = nowhere.refresh_id
            and endings.host = nowhere.host
            and endings.fingerprint = nowhere.fingerprint
    left join shared_pages
        on
            endings.night = shared_pages.night
            and endings.host = shared_pages.host
            and endings.title = shared_pages.title
            and endings.fingerprint = shared_pages.fingerprint
    left join kept.link_records as records
        on endings.url_id::uuid = records.url_id
),

judged as (
    select
        *,
        case
            when was_postponed then 'postponed'
            when error_class in ('url_invalid', 'scheme_unsupported') then 'malformed'
            when error_class = 'address_refused' or kind = 'guard' then 'refused'
            when error_class in ('dns_servfail', 'dns_timeout') then 'postponed'
            when starts_with(error_class, 'tls_') then 'insecure'
            when error_class <> '' then 'unreachable'
            when challenge <> '' then 'blocked'
            when is_success and len(signals) > 0 then 'soft_404'
            when is_success and ended_elsewhere and hops > 0 and permanent_hops >= hops then 'moved'
            when is_success then 'alive'
            when http_status in (404, 410) then 'gone'
            when http_status between 500 and 599 then 'server_error'
            when http_status >= 400 then 'blocked'
            else 'unreachable'
        end as verdict
    from signalled
),

-- The better first. What was not judged (postponed, refused) stands before every bad verdict: one client's word alone
-- kills no link.
ranked as (
    select
        *,
        list_position(
            [
                'alive', 'moved', 'postponed', 'refused', 'malformed', 'soft_404', 'insecure', 'blocked',
                'server_error', 'gone', 'unreachable'
            ],
            verdict
        ) as place_in_order
    from judged
),

refresh_verdicts as (
    select
        url_id,
        night,
        refresh_id,
        arg_min({ 'verdict': verdict, 'speaker': speaker }, (place_in_order, speaker)) as chosen,
        count(*) as speakers,
        bool_or(speaker = '') as is_shared,
        count(distinct verdict) filter (where verdict not in ('postponed', 'refused')) > 1 as clients_disagree,
        max(checked_at) as checked_at
    from ranked
    group by url_id, night, refresh_id
),

-- Of several refreshes of one night, the latest that did not postpone the URL.
nightly as (
    select *
    from refresh_verdicts
    qualify row_number() over (
        partition by url_id, night
        order by chosen.verdict = 'postponed', checked_at desc, refresh_id desc
    ) = 1
),

evidence as (
    select
        url_id,
        night,
        refresh_id,
        list(check_id order by started_at, hop, attempt, check_id) as check_ids
    from log.link_checks
    where kind in ('request', 'shared', 'guard', 'postponed')
    group by url_id, night, refresh_id
)

select
    nightly.url_id::uuid as url_id,
    nightly.night,
    best.verdict,
    case when best.verdict = 'soft_404' then best.signals else []::varchar[] end as signals,
    round(
        case
            when best.verdict = 'postponed' then 0.0
            when best.verdict in ('alive', 'moved', 'malformed', 'refused') then 1.0
            when best.verdict = 'soft_404' then if(len(best.signals) > 1, 0.8, 0.6)
            when nightly.speakers < 2 and not nightly.is_shared and best.error_class <> 'dns_nxdomain' then 0.6
            when best.verdict = 'gone' then 0.95
            else 0.9
        end * if(nightly.clients_disagree, 0.8, 1.0),
        3
    )::double as confidence,
    nightly.clients_disagree,
    nullif(best.http_status, -1)::integer as http_status,
    nullif(best.error_class, '') as error_class,
    best.final_url,
    case
        when best.verdict in ('alive', 'moved') and best.permanent_hops > 0
            then best.url_by_hop[least(best.permanent_hops, best.hops)]
    end as moved_permanently_to,
    best.hops::integer as hops,
    nullif(best.title, '') as title,
    nullif(best.fingerprint, '') as fingerprint,
    if(
        best.verdict = 'soft_404' and list_contains(best.signals, 'same_as_random_path'),
        list_concat(evidence.check_ids, best.nowhere_check_ids),
        evidence.check_ids
    ) as check_ids,
    nightly.checked_at
from nightly
inner join ranked as best
    on
        nightly.url_id = best.url_id
        and nightly.night = best.night
        and nightly.refresh_id = best.refresh_id
        and nightly.chosen.speaker = best.speaker
inner join evidence
    on
        nightly.url_id = evidence.url_id
        and nightly.night = evidence.night
        and nightly.refresh_id = evidence.refresh_id

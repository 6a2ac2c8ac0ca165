-- What the archive thought of each current story over time: its heat, quality and number of related items, from when to
-- when. A meaning that came back (A, B, A) is told each time; a time without the file, or with a bad one, is a gap.
-- grain: story × time its file came to a meaning
-- key: story_id, seen_at
with

-- A backfill and a refresh may both have seen a file come to one meaning.
arrivals as (
    select
        source,
        path,
        version_id,
        status,
        seen_at,
        heat,
        quality,
        related_count,
        lead(seen_at) over (partition by source, path order by seen_at) as replaced_at
    from staging.spans
    where is_arrival
)

select
    stories.story_id,
    arrivals.seen_at,
    row_number() over by_time as appearance,
    arrivals.version_id,
    arrivals.replaced_at,
    arrivals.heat,
    arrivals.quality,
    arrivals.related_count,
    arrivals.heat - lag(arrivals.heat) over by_time as heat_change,
    arrivals.quality - lag(arrivals.quality) over by_time as quality_change,
    arrivals.related_count - lag(arrivals.related_count) over by_time as related_change
from arrivals
inner join coverage.stories
    on
        arrivals.source = stories.source
        and arrivals.path = stories.path
where arrivals.status = 'accepted'
window by_time as (
    partition by stories.story_id
    order by arrivals.seen_at
)

select
    count(*) filter (change = 'died') as died,
    count(*) filter (change in ('broke', 'found_broken')) as broke,
    count(*) filter (change = 'revived') as revived,
    count(*) filter (change = 'moved') as moved,
    count(*) filter (change = 'barred') as barred,
    (select sum(unjudged) from reports.link_health_by_outlet) as unjudged,
    (
        select count(*)
        from coverage.documents
        where status = 'rejected'
    ) as rejected
from reports.links_changed_last_night

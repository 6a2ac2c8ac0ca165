with

largest as (
    select name
    from reports.link_survival
    where grouping = 'age'
    group by name
    having max(day) > 0
    order by
        max(links) desc,
        name asc
    limit 5
)

select
    curves.name,
    curves.day,
    curves.survival,
    null as low,
    null as high,
    curves.at_risk,
    curves.died
from reports.link_survival as curves
inner join largest
    on curves.name = largest.name
where curves.grouping = 'age'
order by
    curves.name,
    curves.day

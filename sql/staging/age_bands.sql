-- How old a thing is, in words, by its days: from the first of these to before the second. No age is the last band.
-- grain: band
-- key: age_order
select
    bands.age_order,
    bands.age,
    bands.from_days,
    bands.to_days
from (
    values
    (1, 'under a month', -1000000, 30),
    (2, 'under half a year', 30, 183),
    (3, 'under a year', 183, 365),
    (4, 'under two years', 365, 731),
    (5, 'under five years', 731, 1826),
    (6, 'five years or more', 1826, 1000000),
    (7, 'unknown', null, null)
) as bands (age_order, age, from_days, to_days)

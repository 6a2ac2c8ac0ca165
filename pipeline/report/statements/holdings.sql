select
    (select count(*) from coverage.stories) as stories,
    (select count(*) from coverage.articles) as articles,
    (select count(*) from coverage.mentions) as mentions,
    (select count(*) from coverage.outlets) as outlets,
    (select count(*) from coverage.urls) as links

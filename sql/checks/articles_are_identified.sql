-- Every article has a URL that names it.
-- on: coverage.articles
-- severity: warn
-- message: An article has no usable URL; domain, title and time stand in for it
select
    article_id,
    identity_url
from coverage.articles
where not is_identified

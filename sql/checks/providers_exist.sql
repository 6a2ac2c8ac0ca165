-- Every outlet has its provider.
-- on: coverage.providers
-- severity: error
-- blocking: yes
-- message: An outlet names no domain of coverage.providers
select
    'coverage.outlets.domain' as place,
    outlets.domain as id,
    count(*) as times
from coverage.outlets
anti join coverage.providers
    on outlets.domain = providers.domain
group by outlets.domain

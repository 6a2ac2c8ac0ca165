-- Every URL of every speaking document is in url_uses.
-- on: coverage.url_uses
-- severity: error
-- blocking: yes
-- message: A URL of a file is missing from coverage.url_uses
select
    uses.source,
    uses.path,
    uses.pointer,
    uses.raw
from staging.written_urls as uses
anti join coverage.url_uses as kept
    on
        uses.version_id::uuid = kept.version_id
        and uses.pointer = kept.pointer
        and uses.raw = kept.raw

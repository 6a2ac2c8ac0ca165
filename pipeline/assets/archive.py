"""Copies of dead links, looked for in a web archive after the sweep. An archive that fails is told, and no more."""

import logging

from pipeline.lake.refresh import Refresh
from pipeline.lake.spool import Spool
from pipeline.links import Lookup, Lookups, look_up, plan_sweep
from pipeline.rehearsal import rehearsed

LOGGER = logging.getLogger("newsledger.links")

_WANTED = """
select url_id::varchar, fetch_url, timestamp
from staging.archive_lookups
order by priority
limit ?
"""


def look_for_copies(refresh: Refresh) -> Lookups | None:
    """Ask the archive of the settings for the copies that are wanting; None where there is none, or it came to grief
    (which is logged)."""
    if not refresh.settings.links.wayback.enabled:
        return None
    spool = Spool(refresh.logs.link_checks)
    try:
        wanted = _wanted(refresh)
        with rehearsed(refresh.settings.links) as rules:
            plan = plan_sweep(rules, night=refresh.night, refresh_id=refresh.refresh_id, now=refresh.clock.now)
            try:
                lookups = look_up(wanted, plan, rules.wayback, spool.append)
            finally:
                spool.commit()
    except Exception:
        LOGGER.exception("the web archive could not be asked; what it answered is kept, the rest is asked again")
        return None
    LOGGER.info("web archive: %d asked, %d copies found, %d failed", lookups.asked, lookups.found, lookups.failed)
    if lookups.given_up:
        LOGGER.warning("the web archive is left alone for this night: %s", lookups.given_up)
    return lookups


def _wanted(refresh: Refresh) -> list[Lookup]:
    with refresh.session() as session:
        builder = refresh.builder(session)
        builder.build("links")
        builder.need("staging.archive_lookups")
        rows = session.run(_WANTED, [refresh.settings.links.wayback.nightly_budget])
        return [Lookup(*map(str, row)) for row in rows]

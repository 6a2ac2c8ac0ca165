"""What `newsledger links check` does: a few URLs asked now, by the night's own engine, and judged by its own SQL.

Nothing of it is kept. The log is what nights saw: whole, under a refresh that says what it asked and why. A question
that a person puts at noon would count as that night's word on the link, from one client's bad minute to a strike; who
wants it counted runs the links step with a selection (docs/links.md). The refresh lock is held meanwhile, so that the
two of them cannot ask one host twice as fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipeline.lake.clock import Clock
from pipeline.lake.lock import hold_lock
from pipeline.lake.nights import judge_alone
from pipeline.lake.relations import relation
from pipeline.lake.session import open_session
from pipeline.links import DueUrl, plan_sweep, sweep
from pipeline.model.ids import content_id
from pipeline.model.logs import LINK_CHECKS, REFRESHES
from pipeline.model.urls import url_forms
from pipeline.rehearsal import rehearsed
from pipeline.settings import Settings
from pipeline.terminal import progress_bar

_VERDICTS = """
select verdicts.* replace (verdicts.url_id::varchar as url_id), verdict_groups.is_alive
from links.verdicts
inner join staging.verdict_groups on verdicts.verdict = verdict_groups.verdict
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A URL, what it amounts to, and each observation of it in order."""

    url: str
    verdict: dict[str, Any]
    observations: tuple[dict[str, Any], ...]

    @property
    def is_alive(self) -> bool:
        return bool(self.verdict["is_alive"])


def ask_now(settings: Settings, urls: Sequence[str]) -> list[Asked]:
    """Ask these URLs, each once, under all guards and paces. Raises RefreshBusyError while a refresh runs."""
    due = {url: _due(url) for url in dict.fromkeys(urls)}
    clock = Clock.at(None)
    tables = [LINK_CHECKS.empty_table()]
    with hold_lock(settings.lock_file, "links check"), rehearsed(settings.links) as rules:
        night = clock.night(settings.schedule.timezone)
        plan = plan_sweep(rules, night=night, refresh_id="asked by hand", now=clock.now)
        wanted = list({each.url_id: each for each in due.values()}.values())
        plan = replace(plan, nightly_budget=len(wanted), domain_budget=len(wanted), controls=())
        with progress_bar("asking links") as progress:
            sweep(wanted, plan, tables.append, progress)
    checks = pa.concat_tables(tables)
    rows = sorted(checks.to_pylist(), key=lambda row: (row["started_at"], row["hop"], row["attempt"]))
    verdicts = _judge(settings, checks, wanted)
    return [
        Asked(url, verdicts[each.fetch_url], tuple(row for row in rows if row["url_id"] == each.url_id))
        for url, each in due.items()
    ]


def _due(url: str) -> DueUrl:
    forms = url_forms(url)
    url_id = content_id("url", forms.fetch_url)
    return DueUrl(url_id, forms.fetch_url, forms.registrable_domain, problem=forms.problem)


def _judge(settings: Settings, checks: pa.Table, asked: Sequence[DueUrl]) -> dict[str, dict[str, Any]]:
    """The verdict of each URL by its fetch form."""
    with open_session(settings.warehouse.memory_limit, settings.data_dir / "scratch") as session:
        session.give("log.link_checks", checks)
        session.give("log.refreshes", REFRESHES.empty_table())
        judge_alone(session)
        session.make(relation("staging.verdict_groups"))
        rows = session.table(_VERDICTS).to_pylist()
    by_id = {row["url_id"]: row for row in rows}
    return {each.fetch_url: by_id[each.url_id] for each in asked}

"""One night in small: a sweep of a few URLs, and what the log and the verdicts say of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa

from pipeline.links import DueUrl, Sweep, SweepResult, plan_sweep, sweep
from pipeline.model.ids import content_id
from pipeline.model.logs import LINK_CHECKS
from pipeline.model.urls import url_forms
from pipeline.settings import DomainRule, Links
from tests.judging import judged

NIGHT = date(2026, 3, 1)
LINKS = Links(
    pace_seconds=0,
    per_domain={"asleep.example": DomainRule(connections=5)},  # five time-outs at a time, not one after the other
    allow_fast=True,
    timeout_seconds=1,
    contact="https://newsledger.example/bot",
)


def due_url(url: str) -> DueUrl:
    forms = url_forms(url)
    asked_as = "file" if url.endswith(".png") else "page"
    return DueUrl(
        content_id("url", forms.fetch_url), forms.fetch_url, forms.registrable_domain, asked_as, forms.problem
    )


def planned(links: Links, refresh_id: str = "r1") -> Sweep:
    plan = plan_sweep(links, night=NIGHT, refresh_id=refresh_id, now=lambda: datetime(2026, 3, 1, 2, tzinfo=UTC))
    # Names are waited for longer than pages: one thread of the rehearsal has to answer for all of its servers.
    return replace(plan, retry_delay=0.02, dns_seconds=2.0)


class Night:
    """What a sweep wrote, and what the SQL says of it."""

    def __init__(self, due: Sequence[DueUrl], tables: list[pa.Table], result: SweepResult) -> None:
        self.due, self.tables, self.result = due, tables, result
        self.checks = pa.concat_tables([LINK_CHECKS.empty_table(), *tables])
        self._rows: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
        for row in self.checks.to_pylist():
            self._rows[row["url_id"]].append(row)

    def rows(self, url: str) -> list[dict[str, object]]:
        """The rows of a URL as they were written."""
        return self._rows[due_url(url).url_id]

    def story(self, url: str) -> list[tuple[object, ...]]:
        """The rows of a URL in short, for a failed assertion."""
        keys = ("kind", "client", "hop", "attempt", "http_status", "error_class", "error_detail", "request_url")
        return [tuple(row[key] for key in keys) for row in self.rows(url)]

    def verdicts(self, refreshes: pa.Table | None = None) -> dict[str, dict[str, object]]:
        """The rows of links.verdicts by fetch URL; of several nights, the last one's."""
        rows = judged(self.checks, refreshes)
        by_id = {due.url_id: due.fetch_url for due in self.due}
        return {by_id[str(row["url_id"])]: row for row in rows}


def sweep_night(due: Sequence[DueUrl], plan: Sweep) -> Night:
    tables: list[pa.Table] = []
    result = sweep(due, plan, tables.append)
    return Night(due, tables, result)

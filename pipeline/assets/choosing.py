"""Which links a run asks: those that are due, or those a person limits it to by source, outlet, role, state or list.

What is chosen is asked now, due or not, under the same budgets, pace and guards as in any night, and counts as what was
seen tonight. What is not chosen is as if this run had never been: neither asked nor postponed, nor looked for in a web
archive.
"""

from collections.abc import Mapping
from enum import Enum

import dagster as dg
from pydantic import Field

from pipeline.errors import QueryError
from pipeline.lake.build import Builder
from pipeline.links import DueUrl

LinkRole = Enum("LinkRole", ["web", "original", "amp", "cdn_amp", "image", "provider_image", "body", "other"])
LinkState = Enum("LinkState", ["unknown", "alive", "failing", "dead", "blocked", "insecure"])


class ChosenLinks(dg.Config):
    """Which links this run asks; with nothing set, those that are due."""

    source: str | None = Field(None, description="Only links that stand in files of this source.")
    outlet: str | None = Field(None, description="Only links of this domain, as example.org, or of this one host.")
    role: LinkRole | None = Field(None, description="Only links that stand somewhere in this role.")
    state: LinkState | None = Field(None, description="Only links in this state before the run.")
    urls: list[str] = Field(
        [], description="Only these: as they stand in a file, or as they are asked. Each must be a link of the archive."
    )

    @property
    def is_everything(self) -> bool:
        return not (self.source or self.outlet or self.role or self.state or self.urls)


_ASKED = """
select
    urls.url_id::varchar,
    urls.fetch_url,
    urls.registrable_domain,
    urls.asked_as,
    urls.problem,
    verdict_groups.is_alive as was_alive,
    records.page_title,
    records.page_fingerprint
from coverage.urls
inner join links.states on urls.url_id = states.url_id
left join links.due on urls.url_id = due.url_id
left join staging.verdict_groups on states.last_verdict = verdict_groups.verdict
left join kept.link_records as records on urls.url_id = records.url_id
"""
"""The columns of a `DueUrl`, in its order: what the sweep must know of a URL beside its address."""

_DUE = f"""
{_ASKED}
where due.priority is not null
order by due.priority
"""

_CHOSEN = f"""
with places as (
    select distinct url_id
    from coverage.url_uses
    where ($source is null or source = $source) and ($role is null or role = $role)
),

listed as (
    select url_id from coverage.urls where list_contains($urls, fetch_url)
    union
    select url_id from coverage.url_uses where list_contains($urls, raw)
)

{_ASKED}
semi join places on urls.url_id = places.url_id
where
    ($outlet is null or $outlet in (urls.registrable_domain, urls.host))
    and ($state is null or states.state = $state)
    and (len($urls) = 0 or urls.url_id in (select url_id from listed))
order by due.priority nulls last, urls.url_id
"""

_STRANGERS = """
select url
from unnest($urls) as given(url)
where
    url not in (select fetch_url from coverage.urls)
    and url not in (select raw from coverage.url_uses)
order by url
"""


def due_links(builder: Builder) -> list[DueUrl]:
    """The links that are due, first things first."""
    _build(builder)
    return _asked(builder, _DUE, {})


def chosen_links(builder: Builder, wanted: ChosenLinks, sources: list[str]) -> list[DueUrl]:
    """The links to ask, those first that are due.

    Raises QueryError for a source or a URL that there is not, and where nothing is chosen.
    """
    if wanted.source is not None and wanted.source not in sources:
        raise QueryError(f"source {wanted.source}: no such source; the settings name {', '.join(sources)}")
    _build(builder)
    strangers = [str(url) for (url,) in builder.session.run(_STRANGERS, {"urls": wanted.urls})]
    if strangers:
        raise QueryError(
            f"{len(strangers)} of the URLs stand in no current file of the archive ({', '.join(strangers[:3])});"
            " `newsledger links check` asks any URL"
        )
    parameters = {
        "source": wanted.source,
        "outlet": wanted.outlet and wanted.outlet.lower(),
        "role": wanted.role and wanted.role.name,
        "state": wanted.state and wanted.state.name,
        "urls": wanted.urls,
    }
    chosen = _asked(builder, _CHOSEN, parameters)
    if not chosen:
        raise QueryError(f"no link of the archive is chosen by {wanted.model_dump(exclude_defaults=True)}")
    return chosen


def _asked(builder: Builder, sql: str, parameters: Mapping[str, object]) -> list[DueUrl]:
    return [DueUrl(*row) for row in builder.session.run(sql, parameters)]  # type: ignore[arg-type]


def _build(builder: Builder) -> None:
    builder.build("links")
    for read in (
        "coverage.urls",
        "coverage.url_uses",
        "links.states",
        "links.due",
        "staging.verdict_groups",
        "kept.link_records",
    ):
        builder.need(read)

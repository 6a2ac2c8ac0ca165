"""How the sweep of one refresh went, from its observations: by verdict, by error class, by slowest host."""

from collections.abc import Iterable
from dataclasses import dataclass

SLOWEST = 5

SUMMARY = f"""
with

asked as (
    select * from links.checks where refresh_id = $refresh_id and kind <> 'archive'
),

settled as (
    select
        url_id,
        arg_max(coalesce(error_class, ''), (client is not null, client = 'requests', started_at)) as error_class
    from asked
    where kind not in ('postponed', 'control')
    group by url_id
),

hosts as (
    select
        regexp_extract(request_url, '^https?://(?:[^/?#]*@)?(\\[[^\\]]*\\]|[^/:?#]+)', 1) as host,
        count(*) as requests,
        median(total_ms) as milliseconds
    from asked
    where total_ms is not null
    group by host
    order by milliseconds desc, host
    limit {SLOWEST}
)

select 'verdict' as part, verdicts.verdict as name, count(*) as items, null as milliseconds
from links.verdicts
where
    verdicts.night in (select night from asked)
    and verdicts.url_id::varchar in (select url_id::varchar from asked)
group by verdicts.verdict
union all
select 'error', error_class, count(*), null
from settled
where error_class <> ''
group by error_class
union all
select 'host', host, requests, milliseconds
from hosts
order by part desc, milliseconds desc, items desc, name
"""
"""To be run with the refresh as `refresh_id`; `summarise` reads its rows."""


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """URLs by verdict and by the error that settled them; requests and median milliseconds of the slowest hosts."""

    verdicts: dict[str, int]
    errors: dict[str, int]
    slowest: dict[str, tuple[int, float]]

    def lines(self) -> list[str]:
        """Three lines for a person, none for what did not happen."""
        told = {
            "verdicts": ", ".join(f"{count:,} {name}" for name, count in self.verdicts.items()),
            "errors": ", ".join(f"{count:,} {name}" for name, count in self.errors.items()),
            "slowest": ", ".join(f"{host} {ms:,.0f} ms" for host, (_, ms) in self.slowest.items()),
        }
        return [f"{name:<10} {words}" for name, words in told.items() if words]


def summarise(rows: Iterable[tuple[object, ...]]) -> SweepSummary:
    """The summary in the rows of `SUMMARY`."""
    summary = SweepSummary({}, {}, {})
    counts = {"verdict": summary.verdicts, "error": summary.errors}
    for part, name, items, milliseconds in rows:
        if part == "host":
            summary.slowest[str(name)] = int(str(items)), float(str(milliseconds))
        else:
            counts[str(part)][str(name)] = int(str(items))
    return summary

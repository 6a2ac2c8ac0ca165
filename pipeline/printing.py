"""What the command line prints: results of queries, and what ends a refresh or a backfill."""

import io
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.console import Console
from rich.table import Table

from pipeline.errors import QueryError
from pipeline.model.text import printable
from pipeline.settings import Settings
from pipeline.terminal import TERMINAL
from pipeline.warehouse import query, read_file
from pipeline.warehouse.sweep_summary import SUMMARY, summarise

if TYPE_CHECKING:
    from pipeline.doctor import Finding, Grade
    from pipeline.planning import Forecast

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
_LAST = """
select refresh_id, started_at, clock, rehearsal, files_seen, files_accepted, files_rejected, files_skipped,
    files_unchanged, files_removed, urls_due, urls_checked, urls_postponed, void_reason
from ops.refreshes
where outcome = 'published'
order by started_at desc
limit 1
"""

_HELD = """
select
    (select count(*) from coverage.documents where status <> 'removed') as files,
    (select count(*) from coverage.documents where status = 'rejected') as rejected,
    (select count(*) from coverage.stories) as stories,
    (select count(*) from coverage.articles) as articles,
    (select count(*) from coverage.mentions) as mentions,
    (select count(*) from coverage.outlets) as outlets,
    (select count(*) from coverage.urls) as urls
"""

_VERDICTS = """
select coalesce(last_verdict, 'not judged') as verdict, count(*) as links
from links.states
group by all
order by links desc, verdict
"""


def print_status(settings: Settings, program: str, options: str) -> None:
    """The short table: what the last published refresh saw and holds, where it is, and what to type next
    (`program` and `options` are how this one was called)."""
    file = read_file(settings.warehouse_file)
    last = query(file, _LAST).to_pylist()[0]
    held = query(file, _HELD).to_pylist()[0]
    verdicts = query(file, _VERDICTS).to_pylist()
    changed = sum(last[f"files_{what}"] for what in ("accepted", "rejected", "skipped", "removed"))

    console = _console()
    table = Table(title=f"Refresh of {last['started_at']:%Y-%m-%d %H:%M} UTC", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row("files", f"{last['files_seen']:,}", f"{changed:,} changed, {held['rejected']:,} rejected")
    table.add_row("stories", f"{held['stories']:,}", "")
    table.add_row("articles", f"{held['articles']:,}", f"from {held['outlets']:,} outlets")
    table.add_row("mentions", f"{held['mentions']:,}", "")
    table.add_row("links", f"{held['urls']:,}", _swept(last))
    table.add_section()
    for row in verdicts:
        table.add_row(f"  {row['verdict']}", f"{row['links']:,}", "")
    console.print(table)
    if last["void_reason"]:
        told = printable(f"The links of this night do not count: {last['void_reason']}.")
        console.print(told, style="bold red", soft_wrap=True, highlight=False, markup=False)
    if last["rehearsal"]:
        console.print("A rehearsal web answered these links, not the world.", style="yellow")
    report = settings.report_dir / "index.html"
    for line in (
        f"warehouse  {settings.warehouse_file}",
        f"report     {report}",
        f'next       {program} sql{options} "from reports.dead_links select path, fetch_url, verdict"',
        f"           {program} report{options} --open",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def print_sweep(settings: Settings) -> None:
    """How the sweep of the last published refresh went, to standard error; nothing where none was due."""
    file = read_file(settings.warehouse_file)
    last = query(file, _LAST).to_pylist()[0]
    if last["urls_due"]:
        rows = query(file, SUMMARY, {"refresh_id": last["refresh_id"]}).to_pylist()
        for line in summarise(tuple(row.values()) for row in rows).lines():
            TERMINAL.print(printable(line), soft_wrap=True, highlight=False, markup=False)


def print_forecast(told: "Forecast", domains: int) -> None:
    """What a night would ask: in words, then the domains that take longest."""
    reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in told.reasons.items())
    left = {
        "over the budget of their domain": told.over_domain_budget,
        "over the night's budget": told.over_nightly_budget,
        "of domains that are skipped": told.skipped,
        "settled without a request, since they cannot be asked": told.unaskable,
    }
    due = f"{told.due:,} links due{f' ({reasons})' if reasons else ''}"
    lines = [f"night      {told.night}: {due}", f"asked      {told.asked:,}"]
    lines += [f"           {count:,} {what}" for what, count in left.items() if count]
    if told.asked:
        longest = told.domains[0]
        lines.append(f"takes      {_span(told.seconds)} at least, the time of {longest.domain} at its pace")
    if told.over_minutes:
        lines.append(f"           {told.over_minutes:,} are not reached in the night's minutes")
    console = _console()
    for line in lines:
        console.print(printable(line), soft_wrap=True, highlight=False, markup=False)
    if told.domains and domains:
        table = Table("domain")
        for heading in ("due", "asked", "takes"):
            table.add_column(heading, justify="right")
        for share in told.domains[:domains]:
            table.add_row(_escaped(share.domain), f"{share.due:,}", f"{share.asked:,}", _span(share.seconds))
        console.print(table)
        if len(told.domains) > domains:
            console.print(f"and {len(told.domains) - domains:,} domains more", highlight=False)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def print_backfill(source: str, counts: Mapping[str, int], program: str, options: str) -> None:
    """What a backfill of the source walked and appended, and what to type next."""
    console = _console()
    statuses = ("accepted", "rejected", "skipped", "removed")
    told = ", ".join(f"{counts[status]:,} {status}" for status in statuses if counts[status])
    for line in (
        f"{source}: walked {counts['commits']:,} commits, {counts['versions']:,} versions of files",
        f"appended {counts['rows']:,} rows to the documents log{told and f' ({told})'}",
        f"next       {program} refresh{options}   shows them in coverage.document_versions",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def print_finding(finding: "Finding") -> "Grade":
    """What the doctor found, and what to do; how it is."""
    console = _console()
    line = f"{finding.grade:<8}{finding.what}: {finding.words}"
    console.print(printable(line), soft_wrap=True, highlight=False, markup=False, style=_COLOURS[finding.grade])
    if finding.remedy:
        console.print(printable(f"        {finding.remedy}"), soft_wrap=True, highlight=False, markup=False)
    return finding.grade


def print_as(result: pa.Table, form: str) -> None:
    """A query's result on standard output, as table | csv | json | parquet. Raises QueryError for what it cannot be."""
    out = sys.stdout.buffer
    if form == "csv":
        pyarrow.csv.write_csv(_plain(result), out)
    elif form == "json":
        out.write(orjson.dumps(result.to_pylist(), default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    elif form == "parquet":
        if sys.stdout.isatty():
            raise QueryError(
                "Parquet is no text: send it to a file, as in `newsledger sql … -f parquet > result.parquet`"
            )
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(result, buffer, compression="zstd")
        out.write(buffer.getvalue())
    else:
        _console().print(_rich(result.column_names, result.to_pylist()))
    out.flush()


def _console() -> Console:
    """Standard output, as wide as its terminal; in a pipe no line is folded."""
    return Console(width=None if sys.stdout.isatty() else 10_000)


def _rich(names: Iterable[str], rows: list[dict[str, object]]) -> Table:
    table = Table(caption=f"{len(rows):,} row{'' if len(rows) == 1 else 's'}", caption_justify="left")
    for name in names:
        is_number = bool(rows) and all(isinstance(row[name], (int, float)) or row[name] is None for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else _escaped(str(value)) for value in row.values()))
    return table


def _escaped(text: str) -> str:
    return printable(text, keep="\n").replace("[", "\\[")  # titles are data, not rich's markup


def _plain(result: pa.Table) -> pa.Table:
    """Nested columns as JSON text, which CSV can hold."""
    for index, field in enumerate(result.schema):
        if pa.types.is_nested(field.type):
            texts = [
                None if value is None else orjson.dumps(value, default=str).decode()
                for value in result[index].to_pylist()
            ]
            result = result.set_column(index, field.name, pa.array(texts, pa.string()))
    return result


def _swept(last: dict[str, object]) -> str:
    if last["urls_due"] is None:
        return "not asked"
    return f"{last['urls_checked']:,} of {last['urls_due']:,} due were asked, {last['urls_postponed']:,} postponed"

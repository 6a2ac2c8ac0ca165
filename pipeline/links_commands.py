"""The command line's `newsledger links plan | check | fix`.

Belongs here: arguments, what is printed, exit codes. What asks links is imported only by the command that asks.
"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import NewsledgerError
from pipeline.fixing import Fix, Reason, Wanted, apply, proposed_fixes
from pipeline.model.text import printable
from pipeline.options import Config, Now, settings_of
from pipeline.printing import print_forecast

if TYPE_CHECKING:
    from pipeline.asking import Asked

NOT_ALL_ALIVE = 3
"""The exit code of a check that found a link which is not alive; 1 is an error, 2 a wrong option."""

links_app = typer.Typer(no_args_is_help=True, help="See what is due, ask links now, and mend those that are broken.")


@links_app.command()
def plan(
    config: Config = None,
    now: Now = None,
    domains: Annotated[int, typer.Option(min=0, help="Domains shown, those that take longest first.")] = 10,
) -> None:
    """Show what a refresh would ask now: how many links, why, how long it takes at least, and what the budgets leave
    out. Sends nothing."""
    from pipeline.planning import forecast

    print_forecast(forecast(settings_of(config), now), domains)


@links_app.command()
def check(
    urls: Annotated[list[str], typer.Argument(help="The URLs to ask.", metavar="URL…")],
    config: Config = None,
) -> None:
    """Ask these URLs now, as a night would, and print what they amount to; nothing of it is kept. Exit code 3 where one
    of them is not alive."""
    from pipeline.asking import ask_now

    asked = ask_now(settings_of(config), urls)
    for each in asked:
        typer.echo("\n".join(map(printable, _told(each))))
    if not all(each.is_alive for each in asked):
        raise typer.Exit(NOT_ALL_ALIVE)


@links_app.command()
def fix(
    config: Config = None,
    source: Annotated[str | None, typer.Option(help="Only files of this source.")] = None,
    reason: Annotated[list[Reason] | None, typer.Option(help="Only replacements for this reason; repeatable.")] = None,
    least_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Only replacements that are as sure as this.")
    ] = 0.0,
    write: Annotated[bool, typer.Option("--apply", help="Write the changes into the files of folder sources.")] = False,
) -> None:
    """Propose replacements for broken links, as a diff over the archive's own files; --apply writes them."""
    settings = settings_of(config)
    folders = {each.name: each.path for each in settings.sources}
    files = urls = in_body = 0
    problems = []
    for fixed in proposed_fixes(settings, Wanted(source, tuple(reason or Reason), least_confidence)):
        _print_diff(fixed)
        problems += [f"{fixed.name}: {told}" for told in fixed.refused]
        in_body += fixed.in_body
        folder = folders[fixed.source]
        if not fixed.changes:
            continue
        if write and folder is None:
            problems.append(f"{fixed.name}: no folder of this machine; apply the diff where the archive is kept")
            continue
        if write and folder is not None:
            try:
                apply(fixed, folder)
            except NewsledgerError as error:
                problems.append(str(error))
                continue
        files += 1
        urls += len(fixed.changes)
    for problem in problems:
        typer.echo(f"newsledger: {problem}", err=True)
    done = "written" if write else "proposed; --apply writes them"
    typer.echo(f"{urls:,} URLs in {files:,} files {done}", err=True)
    if in_body:
        typer.echo(f"{in_body:,} more stand in bodies, which are left to their authors", err=True)
    if write and problems:
        raise typer.Exit(1)


def _print_diff(fixed: Fix) -> None:
    diff = fixed.diff()
    if sys.stdout.isatty():
        diff = printable(diff.decode("utf-8", "backslashreplace"), keep="\n\t").encode()
    sys.stdout.buffer.write(diff)
    sys.stdout.buffer.flush()


def _told(asked: "Asked") -> list[str]:
    """What a check found, line by line: the verdict, then the way to it."""
    verdict = asked.verdict
    said = [verdict["verdict"], f"confidence {verdict['confidence']:g}", *verdict["signals"]]
    if verdict["clients_disagree"]:
        said.append("the clients disagree")
    if verdict["moved_permanently_to"]:
        said.append(f"moved for good to {verdict['moved_permanently_to']}")
    lines = [asked.url, f"  {', '.join(said)}"]
    for row in asked.observations:
        who = row["client"] or "not asked"
        parts = [row["method"], row["http_status"], row["challenge"], row["error_class"], row["request_url"]]
        if row["title"]:
            parts.append(f"“{row['title']}”")
        if row["error_detail"]:
            parts.append(f"({row['error_detail']})")
        kind = "" if row["kind"] == "request" else f"{row['kind']}: "
        lines.append(f"  {who:<9} {kind}{' '.join(str(part) for part in parts if part is not None)}")
    return lines

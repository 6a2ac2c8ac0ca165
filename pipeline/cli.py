"""The command line: `newsledger refresh | backfill | status | sql | export | issues | links | report | ui | doctor …`.

Belongs here: arguments, what is printed, exit codes. The refresh itself is the Dagster job, run in this process on the
instance that the UI shows. Dagster is imported only by the command that runs it: a query answers at once.
"""

import fcntl
import gc
import logging
import os
import shutil
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline.errors import NewsledgerError
from pipeline.lake.files import replacing
from pipeline.lake.lock import hold_lock
from pipeline.links_commands import links_app
from pipeline.model.version import program_version
from pipeline.options import Config, Now, settings_of
from pipeline.printing import print_as, print_backfill, print_finding, print_status, print_sweep
from pipeline.problems import Severity, Wanted, current_problems, print_problems
from pipeline.settings import POSTGRES_VARIABLE, Settings
from pipeline.terminal import TERMINAL
from pipeline.warehouse import ExportFormat, export_tables, query, read_file, roll_back

_PLAIN_POSTGRES = "postgresql://"

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__.splitlines()[0]
)
app.add_typer(links_app, name="links")


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class ProblemFormat(StrEnum):
    """How problems are printed."""

    LINES = "lines"
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Part(StrEnum):
    """What a service serves."""

    WEBSERVER = "webserver"
    DAEMON = "daemon"


@app.command()
def refresh(
    config: Config = None,
    now: Now = None,
) -> None:
    """Run the whole refresh: read the archives, check the links that are due, rebuild and publish."""
    settings = settings_of(config)
    prepare_dagster_home(settings)
    from pipeline.running import run_refresh  # Dagster takes a second to import: only this command pays it

    with TERMINAL.status("refreshing …"):
        run_refresh(settings, now)
    print_sweep(settings)
    print_status(settings, *_called(config))


@app.command()
def backfill(
    source: Annotated[str, typer.Argument(help="Name of a git source in the settings.")],
    since: Annotated[
        str | None, typer.Option(help="Leave out the commits before this date, or ISO time with its offset.")
    ] = None,
    config: Config = None,
    now: Now = None,
) -> None:
    """Take the history of a git source into the log: what each commit made its files mean."""
    settings = settings_of(config)
    prepare_dagster_home(settings)
    from pipeline.running import run_backfill

    with TERMINAL.status("walking the history …"):
        counts = run_backfill(settings, source, since, now)
    print_backfill(source, counts, *_called(config))


@app.command()
def status(config: Config = None) -> None:
    """Show what the last published refresh holds."""
    print_status(settings_of(config), *_called(config))


@app.command()
def sql(
    statement: Annotated[
        str | None, typer.Argument(help="One SQL statement; - reads it from standard input. Without one: a prompt.")
    ] = None,
    config: Config = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the result.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Query the published warehouse, read-only: one statement, or at a prompt."""
    settings = settings_of(config)
    if statement is None and sys.stdin.isatty():
        from pipeline.prompt import run_prompt  # only who is to type waits for the library of it

        run_prompt(settings.warehouse_file, format)
        return
    text = sys.stdin.read() if statement in (None, "-") else statement
    print_as(query(read_file(settings.warehouse_file), str(text)), format)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files are written; it is made if need be.")],
    what: Annotated[list[str] | None, typer.Argument(help="Schemas or tables; reports where none is named.")] = None,
    config: Config = None,
    format: Annotated[ExportFormat, typer.Option("--format", "-f", help="What is written.")] = ExportFormat.PARQUET,  # noqa: A002
) -> None:
    """Write tables of the published warehouse as Parquet or CSV files, or as one Excel workbook."""
    warehouse = read_file(settings_of(config).warehouse_file)
    for exported in export_tables(warehouse, what or ["reports"], folder, format):
        cut = f", {exported.cut} texts cut to what a cell holds" if exported.cut else ""
        typer.echo(f"{exported.file}: {exported.relation}, {exported.rows} rows{cut}")


@app.command()
def issues(
    config: Config = None,
    source: Annotated[str | None, typer.Option(help="Only those of this source.")] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="The least severity shown: warning, or info where a code is named.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only those of this code.")] = None,
    format: Annotated[ProblemFormat, typer.Option("--format", "-f", help="How to print them.")] = ProblemFormat.LINES,  # noqa: A002
) -> None:
    """List what is wrong with files now, as path:line:column that an editor opens."""
    settings = settings_of(config)
    problems = current_problems(settings, Wanted(source, code, severity))
    if format is ProblemFormat.LINES:
        print_problems(problems, settings)
    else:
        print_as(problems, format)


@app.command()
def report(
    config: Config = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Say where the report of the last refresh is."""
    page = settings_of(config).report_dir / "index.html"
    if not page.exists():
        raise NewsledgerError(f"{page}: no report was made yet; run `newsledger refresh`")
    typer.echo(page)
    if show:
        webbrowser.open(page.as_uri())


@app.command()
def rollback(config: Config = None) -> None:
    """Let readers open the warehouse published before the last one, and make the report tell of that one."""
    settings = settings_of(config)
    from pipeline.report import write_report  # its charts take half a second to import

    with hold_lock(settings.lock_file, "rollback"):
        left = read_file(settings.warehouse_file)
        now = roll_back(settings.warehouse_file)
        page = write_report(now, settings.report_dir)
    typer.echo(f"{settings.warehouse_file} names {now.name}, no longer {left.name}, which is kept")
    typer.echo(f"{page} tells of {now.stem}")
    typer.echo("the logs and the tables of the lake stay; the next refresh publishes a new warehouse")


@app.command()
def ui(
    config: Config = None,
    port: Annotated[int, typer.Option(help="Where it listens, on loopback.")] = 3000,
) -> None:
    """Serve the Dagster UI on loopback, with the nightly schedule's daemon; Ctrl-C ends it."""
    prepare_dagster_home(settings_of(config))
    workspace = str(_shipped("workspace.yaml"))
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 (our own interpreter; its signals are Dagster's)


@app.command()
def serve(
    part: Annotated[Part, typer.Argument(help="The UI, or what runs the schedule, the sensors and the queue.")],
    config: Config = None,
    port: Annotated[int, typer.Option(help="Where the UI listens, on loopback.")] = 3000,
) -> None:
    """Serve one part of Dagster for good, as a service does (docs/production.md); `ui` is for a terminal."""
    prepare_dagster_home(settings_of(config))
    workspace = ["-w", str(_shipped("workspace.yaml"))]
    commands = {
        Part.WEBSERVER: ["dagster_webserver", *workspace, "-h", "127.0.0.1", "-p", str(port)],
        Part.DAEMON: ["dagster._daemon", "run", *workspace],
    }
    os.execv(sys.executable, [sys.executable, "-m", *commands[part]])  # noqa: S606 (as above)


@app.command()
def doctor(config: Config = None) -> None:
    """Look at all that a refresh leans on, and say what to do; exit code 1 where something must be mended."""
    settings = settings_of(config)
    from pipeline.doctor import Grade, examine  # which looks at every library there is

    grades = {print_finding(finding) for finding in examine(settings)}
    if Grade.ERROR in grades:
        raise typer.Exit(1)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(program_version())


def prepare_dagster_home(settings: Settings) -> Path:
    """The persistent DAGSTER_HOME below `data_dir`, with the project's dagster.yaml in it."""
    home = settings.dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        parts = ["dagster.yaml", *(["deploy/postgres.yaml"] if os.environ.get(POSTGRES_VARIABLE) else [])]
        text = "".join(_shipped(part).read_text("utf-8") for part in parts)
        kept = home / "dagster.yaml"
        if not kept.exists() or kept.read_text("utf-8") != text:
            with replacing(kept) as temporary:
                temporary.write_text(text, "utf-8")
    except OSError as error:
        raise NewsledgerError(f"{home}: DAGSTER_HOME cannot be prepared: {error.strerror}; mend data_dir") from error
    url = os.environ.get(POSTGRES_VARIABLE, "")
    if url.startswith(_PLAIN_POSTGRES):  # for which SQLAlchemy takes another driver than dagster-postgres brings
        os.environ[POSTGRES_VARIABLE] = url.replace(_PLAIN_POSTGRES, "postgresql+psycopg2://", 1)
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    _make_storage(home, text)
    return home


def _make_storage(home: Path, text: str) -> None:
    """Have Dagster make its storage, once and alone: two processes that begin at one time would spoil it."""
    made = home / "storage.made"
    with (home / "storage.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text("utf-8") != text:
            from dagster import DagsterInstance

            try:
                with DagsterInstance.get():
                    made.write_text(text, "utf-8")
            except Exception as error:
                raise NewsledgerError(
                    f"{home}: Dagster's storage cannot be opened ({type(error).__name__});"
                    " `newsledger doctor` says more"
                ) from error


def _shipped(name: str) -> Path:
    """A file of the project that comes with it: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.exists() else package.parent / name


def _called(config: Path | None) -> tuple[str, str]:
    """How to call this program again on the same settings, from the same folder: its name, and its options."""
    program = sys.argv[0] if Path(sys.argv[0]).name == "newsledger" else "newsledger"
    if shutil.which("newsledger") == program:
        program = "newsledger"
    return program, "" if config is None else f" --config {config}"


def main() -> NoReturn:
    """The console script: an error that a user can act on is one message and exit code 1, never a traceback."""
    stages = logging.StreamHandler()
    stages.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("newsledger").addHandler(stages)
    gc.set_threshold(100_000)  # what Dagster makes lives as long as the process: to look through it often is in vain
    try:
        app()
    except NewsledgerError as error:
        typer.echo(f"newsledger: {error}", err=True)
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()

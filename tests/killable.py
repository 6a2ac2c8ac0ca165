"""Work that tests kill in its middle, in processes that are forked from one which has imported all that it takes."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipeline.assets.backfill import backfilled
from pipeline.assets.documents import take_in
from pipeline.content import history, intake
from pipeline.lake.logs import Log
from pipeline.lake.refresh import begin_backfill, begin_refresh
from pipeline.settings import Executor, Links, Settings, Source, load_settings


@dataclass(frozen=True, slots=True)
class Killable:
    """A process, which leads a group of its own, and what it tells. Whatever it starts holds its end of that pipe."""

    process: BaseProcess
    told: Connection

    def kill(self) -> bool:
        """Kill it and its workers; whether it was still at work."""
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(int(self.process.pid or 0), signal.SIGKILL)
        return self.ended() == -signal.SIGKILL

    def ended(self) -> int | None:
        """Its exit code, once it has one."""
        self.process.join()
        self.told.close()
        return self.process.exitcode


def started(work: Callable[..., None], *arguments: object) -> Killable:
    """Start the work, which is given a pipe to tell what it does as its last argument; return when it begins."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.killable"])
    told, tell = context.Pipe(duplex=False)
    process = context.Process(target=_lead, args=(work, *arguments, tell))
    process.start()
    tell.close()
    assert told.recv() == "ready"
    return Killable(process, told)


def _lead(work: Callable[..., None], *arguments: object) -> None:
    os.setsid()
    tell = arguments[-1]
    assert isinstance(tell, Connection)
    os.dup2(tell.fileno(), 1)
    tell.send("ready")
    work(*arguments)


def take_in_documents(folder: Path, data_dir: Path, kind: str, now: str, tell: Connection) -> None:
    """A refresh as far as the documents log, in as many appends as an archive of a hundred times the files takes."""
    intake.SHARE_FILES, intake.COMMIT_ROWS = range(100, 101), 200
    source = Source(name="big", path=folder)
    settings = Settings(
        data_dir=data_dir,
        sources=(source,),
        executor=Executor.model_validate({"kind": kind}),
        links=Links(enabled=False),
    )
    with begin_refresh(settings, "to be killed", now) as refresh:
        take_in(refresh, source)


def take_in_history(config: Path, kill_at: int, side: str, tell: Connection) -> None:
    """A backfill that dies just before or behind its n-th commit to a log, of rows or of an event."""
    history.STRETCH_VERSIONS, history.APPEND_ROWS = 40, 30
    append, appended = Log.append, 0

    def append_or_die(log: Log, rows: object) -> None:
        nonlocal appended
        appended += 1
        if appended == kill_at and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        append(log, rows)
        if appended == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    Log.append = append_or_die  # type: ignore[method-assign]
    with begin_backfill(load_settings(config), "killed", None) as backfill:
        for done in backfilled(backfill, "archive", None):
            tell.send(done)

"""A real Dask cluster on loopback: a scheduler and its workers, each a process that a test may kill."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import ExecutorError
from pipeline.executors import open_workers
from pipeline.settings import Executor
from tests.conftest import ROOT


@dataclass
class Cluster:
    """Where the scheduler listens, and the processes of the workers."""

    address: str = ""
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def executor(self) -> Executor:
        return Executor(kind="dask", address=self.address)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    told = folder / "scheduler.json"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    environment = os.environ | {"DASK_DISTRIBUTED__WORKER__PREFETCH": "0"}

    def run(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "distributed.cli.dask_" + program, *common, *arguments]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env=environment)

    scheduler = run("scheduler", "--host", "127.0.0.1", "--port", "0")
    made = Cluster()
    try:
        while not made.address:
            assert scheduler.poll() is None
            time.sleep(0.05)
            try:
                made.address = json.loads(told.read_text("utf-8"))["address"]
            except (OSError, ValueError):
                continue
        # Without a nanny, which would start a dead worker again.
        local = ("--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--local-directory", str(folder))
        made.workers += [run("worker", *local) for _ in range(workers)]
        if workers:
            _wait_for(workers, made.executor)
        yield made
    finally:
        for process in [*made.workers, scheduler]:
            process.kill()
            process.wait()


def _wait_for(count: int, executor: Executor) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(ExecutorError), open_workers(executor) as workers:
            if workers is not None and workers.count == count:
                return
    raise TimeoutError(f"{count} workers did not come")

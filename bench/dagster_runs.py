"""What Newsledger adds to Dagster: loading and reloading its definitions, and a night on which nothing changed.

A night goes the way of every night: the scheduler's tick, the queue, a process of its own. Beside it, in turns, goes
`bench.empty`; only the difference says something about Newsledger. Of loads and reloads the least is told: whatever
else the machine does can only lengthen them.
"""

import gc
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import dagster as dg
import yaml
from dagster._core.instance import InstanceRef
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._scheduler.scheduler import launch_scheduled_runs

from bench.targets import Target

ROOT = Path(__file__).parents[1]
LOGGER = logging.getLogger("bench")
_FIRST_NIGHT = datetime(2027, 1, 1, 2, 0, 30, tzinfo=UTC)
_LOAD = """
import time
import dagster as dg
began = time.process_time()
from pipeline.definitions import defs
dg.Definitions.validate_loadable(defs())
print(time.process_time() - began)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds, of each run: of the processor for a load beyond Dagster's import, of the clock for the rest."""

    load: tuple[float, ...]
    reload: tuple[float, ...]
    reload_processor: tuple[float, ...]
    night: tuple[float, ...]
    empty_night: tuple[float, ...]

    @property
    def overhead(self) -> float:
        return median(ours - empty for ours, empty in zip(self.night, self.empty_night, strict=True))


def measure_dagster(folder: Path, runs: int) -> Told:
    """Every figure, on a copy of the sample in `folder`; no link is asked."""
    settings = {
        "data_dir": "data",
        "sources": [{"name": "sample", "path": str(shutil.copytree(ROOT / "seeds" / "site", folder / "site"))}],
        "links": {"nightly_budget": 0},
        "executor": {"kind": "serial"},
    }
    config = folder / "newsledger.yaml"
    config.write_text(yaml.safe_dump(settings), "utf-8")
    os.environ |= {"NEWSLEDGER_CONFIG": str(config), "DAGSTER_DISABLE_TELEMETRY": "1"}
    load = tuple(_load() for _ in range(runs))
    logging.disable(logging.INFO)  # the queue tells at each look that it waits
    with _workspace(folder) as (instance, workspace):
        nights = _nights(instance, workspace, runs)
        reload, processor = zip(*(_reload(workspace) for _ in range(runs)), strict=True)
    gc.collect()  # the locations that were reloaded wait for their threads, which at the exit never end
    return Told(load, reload, processor, nights["newsledger"], nights["empty"])


def lines(told: Told) -> Iterator[str]:
    yield f"{'sample site, no link asked':<52}{'seconds':>10}"
    for name, seconds in (
        ("definitions loaded, beyond `import dagster` (processor)", min(told.load)),
        ("code location reloaded", min(told.reload)),
        ("the same, of the processor of its new process", min(told.reload_processor)),
        ("a night on which nothing changed, through the queue", median(told.night)),
        ("Dagster's own empty run of the same shape", median(told.empty_night)),
    ):
        yield f"  {name:<58}{seconds:>8.2f}"


def targets(told: Told) -> Iterator[Target]:
    yield Target("definitions: seconds beyond Dagster's own import", min(told.load), "at most", 2)
    yield Target("code location: seconds of the processor to reload", min(told.reload_processor), "at most", 5)
    yield Target("a night of no change: seconds beyond an empty run", told.overhead, "at most", 3, "Dagster")


def _load() -> float:
    done = subprocess.run([sys.executable, "-c", _LOAD], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def _workspace(folder: Path) -> Iterator[tuple[dg.DagsterInstance, IWorkspaceProcessContext[Any]]]:
    """The instance as shipped, and both code locations."""
    home = folder / "dagster"
    home.mkdir()
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    file = folder / "workspace.yaml"
    modules = {"newsledger": "pipeline.definitions", "empty": "bench.empty"}
    listed = [
        {"python_module": {"module_name": module, "location_name": name, "working_directory": str(ROOT)}}
        for name, module in modules.items()
    ]
    file.write_text(yaml.safe_dump({"load_from": listed}), "utf-8")
    with (
        dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as instance,
        create_test_daemon_workspace_context(WorkspaceFileTarget([str(file)]), instance) as workspace,
    ):
        yield instance, workspace


def _nights(
    instance: dg.DagsterInstance, workspace: IWorkspaceProcessContext[Any], runs: int
) -> dict[str, tuple[float, ...]]:
    queue = QueuedRunCoordinatorDaemon(interval_seconds=1)
    taken: dict[str, list[float]] = {"newsledger": [], "empty": []}
    now = _FIRST_NIGHT
    for number in range(runs + 1):
        for name, seconds in taken.items():
            now += timedelta(days=1)
            took = _night(instance, workspace, queue, name, now)
            if number:  # the first is no night without change
                seconds.append(took)
    return {name: tuple(seconds) for name, seconds in taken.items()}


def _night(
    instance: dg.DagsterInstance,
    workspace: IWorkspaceProcessContext[Any],
    queue: QueuedRunCoordinatorDaemon,
    name: str,
    now: datetime,
) -> float:
    """From the tick to the end of its run."""
    location = workspace.create_request_context().get_code_location(name)
    schedule = location.get_repository("__repository__").get_schedule("nightly_refresh")
    with freeze_time(now - timedelta(hours=1)):
        instance.start_schedule(schedule)
    before = {run.run_id for run in instance.get_runs()}
    began = time.perf_counter()
    with freeze_time(now):
        for error in launch_scheduled_runs(workspace, LOGGER, now, {}):
            if error:
                raise RuntimeError(str(error))
    [run] = [run for run in instance.get_runs() if run.run_id not in before]
    while not run.is_finished:
        for error in queue.run_iteration(workspace):
            if error:
                raise RuntimeError(str(error))
        time.sleep(0.05)
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        run = found
    took = time.perf_counter() - began
    with freeze_time(now):
        instance.stop_schedule(schedule.get_remote_origin_id(), schedule.selector_id, schedule)
    if run.status != dg.DagsterRunStatus.SUCCESS:
        raise RuntimeError(f"the night of {name} ended as {run.status}")
    return took


def _reload(workspace: IWorkspaceProcessContext[Any]) -> tuple[float, float]:
    """By the clock, and of the processor: the new code server's."""
    before = _children()
    began = time.perf_counter()
    workspace.reload_code_location("newsledger")
    took = time.perf_counter() - began
    return took, sum(map(_processor, _children() - before))


def _children() -> set[int]:
    """The processes that any thread of this one started, and theirs."""
    found: set[int] = set()
    pending = [os.getpid()]
    while pending:
        for told in Path(f"/proc/{pending.pop()}/task").glob("*/children"):
            with suppress(OSError):
                new = {*map(int, told.read_text("ascii").split())} - found
                found |= new
                pending += new
    return found


def _processor(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""One call in a process of its own, so that no figure depends on what was measured before it."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Watched(Generic[T]):
    """A result, and the peak resident bytes of the process that made it and of each of its own processes."""

    result: T
    parent: int
    workers: tuple[int, ...]

    @property
    def total(self) -> int:
        """An upper bound: the peaks need not have been at one time, and shared pages count in each."""
        return self.parent + sum(self.workers)


def alone(cores: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `function` in a fresh process, pinned to one core where `cores` is 1."""
    with _process(cores) as process:
        return process.submit(function, *args, **kwargs).result()


def watched(cores: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Watched[T]:
    """The same, with the memory that it took: the kernel's own high-water marks, read until the end."""
    with _process(cores) as process:
        parent = process.submit(os.getpid).result()
        future = process.submit(function, *args, **kwargs)
        peaks: dict[int, int] = {}
        while True:
            is_done = future.done()
            for pid in (parent, *_descendants(parent)):
                peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
            if is_done:
                break
            time.sleep(_SAMPLE_SECONDS)
        result = future.result()
    return Watched(result, peaks.pop(parent), tuple(sorted(peaks.values(), reverse=True)))


def _process(cores: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(cores,))


def _prepare(cores: int) -> None:
    for variable in [name for name in os.environ if name.startswith("NEWSLEDGER_")]:
        del os.environ[variable]  # a figure depends on nobody's settings
    if cores == 1 and hasattr(os, "sched_setaffinity"):
        # Before any library starts threads of its own: they inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = [int(child) for child in children.read_text("ascii").split()]
        except OSError:  # ended between the listing and the reading
            continue
        for child in pids:
            found += [child, *_descendants(child)]
    return found


def peak_of(pid: int) -> int:
    """VmHWM, the peak of one program: `ru_maxrss` would keep that of the process which started it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)

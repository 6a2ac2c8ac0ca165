"""What the shards of the heavy stages run in: this process, a pool of processes, or a Dask cluster.

A shard is a function of plain values and the lake, and an executor one of `concurrent.futures`: the stages know no
more. Whatever runs them, the rows are the same. Belongs here: the making of executors, and what is said when one
breaks. Does not belong here: what a shard is.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from pipeline.errors import ExecutorError
from pipeline.settings import Executor

_CONNECT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Workers:
    """An executor, and how many shards it runs at a time."""

    pool: Pool
    count: int


@contextmanager
def open_workers(executor: Executor) -> Iterator[Workers | None]:
    """What the shards run in until the block ends; None is this process.

    Raises ExecutorError where the cluster is not there, or where a worker died and its work with it.
    """
    if executor.kind == "serial":
        yield None
    elif executor.kind == "dask":
        with _cluster(executor) as workers:
            yield workers
    else:
        # Spawned, not forked: Dagster's process has threads. Started only when a shard is submitted.
        count = executor.workers or os.cpu_count() or 1
        with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
            try:
                yield Workers(pool, count)
            except BrokenProcessPool as error:
                raise ExecutorError(
                    f"a worker process died in the middle of its work ({error}), most often for want of memory; what"
                    " was committed stays. Set executor.workers to fewer, and run the refresh again"
                ) from error


@contextmanager
def _cluster(executor: Executor) -> Iterator[Workers]:
    """Dask gives the shards of a worker that dies to others."""
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise ExecutorError("executor.kind is dask, which needs the extra `cluster`: newsledger[cluster]") from error
    try:
        make: Any = Client  # its calls have no types
        client = make(executor.address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ExecutorError(
            f"executor.address: no Dask scheduler answers at {executor.address} ({error}); start one with"
            " `dask scheduler`, or set executor.kind to processes"
        ) from error
    with client:
        count = sum(client.nthreads().values())
        if not count:
            raise ExecutorError(f"the Dask cluster at {executor.address} has no worker; start one with `dask worker`")
        try:
            # Each shard once and truly: the cluster must not answer from what it remembers of an earlier call.
            yield Workers(client.get_executor(pure=False), count)
        except KilledWorker as error:
            raise ExecutorError(
                f"the Dask cluster at {executor.address} gave a shard up, since the workers that had it died: {error};"
                " what was committed stays. Look into the workers' logs, and run the refresh again"
            ) from error


def _end_with_parent() -> None:
    """Have this worker end when its parent does. A parent that is killed closes nothing, and its workers, who hold both
    ends of the queue they read from, would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)

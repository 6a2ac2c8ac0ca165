"""A night's sweep in shards of domains, each in a worker that writes its observations straight to the lake.

One event loop asks some thousands of URLs a second, and with a pace of a second a night seldom needs more: shards are
made only where one process would take longer than the longest queue of a domain.
A URL that is redirected to a domain of another shard goes on in a last sweep, when all shards are done: so no domain is
ever asked by two at a time. Belongs here: who asks what. Does not belong here: how it is asked (`sweep`).
"""

import ctypes
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipeline.executors import Workers
from pipeline.lake.logs import Log
from pipeline.lake.spool import Spool
from pipeline.links.cases import Left
from pipeline.links.plan import DueUrl, Sweep, SweepResult, shard_of
from pipeline.links.sweep import sweep_shard, within_a_night

STARTS_A_SECOND = 2_000
"""What one process starts in a second with time to spare: a third of what it can."""
URLS_OF_A_SHARD = 10_000
"""Fewer are asked sooner than a process is started."""
_LAST_SWEEP = 0.1
"""The share of a night's time that is kept for what was led from one shard to another."""
_TOLD = "settled"


def sweep_to_log(
    due: Sequence[DueUrl],
    plan: Sweep,
    log: Log,
    workers: Workers | None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """As `sweep`, with every observation in `log` at the end, whatever the end is. Raises LakeError where the log
    cannot be written, and what the executor raises where a worker dies."""
    return within_a_night(due, plan, progress, lambda admitted, rules, tell: _ask(admitted, rules, log, workers, tell))


def _ask(
    due: Sequence[DueUrl], plan: Sweep, log: Log, workers: Workers | None, tell: Callable[[int], None]
) -> SweepResult:
    """The controls first, in this process; then all else, in as many as it is worth."""
    shards = 1 if workers is None else shards_worth(due, plan, workers.count)
    if workers is None or shards < 2:
        return _sweep_one(due, plan, log, Left(), tell)[0]
    try:
        began = time.monotonic()
        known = Left()
        if plan.controls:
            controls, known = _sweep_one([], plan, log, known, tell)
            plan = replace(plan, controls=(), void_reason=controls.void_reason)
        if plan.void_reason is not None:
            return _sweep_one(due, plan, log, known, tell)[0]
        asked, left = _sweep_shards(due, plan, log, workers, shards, Left(pauses=known.pauses), tell)
        spent = time.monotonic() - began
        if left.cases:
            last = replace(plan, shard=shards, nightly_seconds=max(0.0, plan.nightly_seconds - spent))
            more, _ = _sweep_one([], last, log, left, lambda settled: tell(asked.checked + asked.postponed + settled))
            asked += more
    finally:
        Spool.commit_all(log)  # of a worker that died, too
    return asked


def shards_worth(due: Sequence[DueUrl], plan: Sweep, most: int) -> int:
    """How many shards the URLs are worth, one at least: as many as get them done in the time that the longest queue of
    a domain takes in any case."""
    lengths = Counter(url.domain for url in due)
    longest = max(((length - 1) * plan.pace_of(domain).gap for domain, length in lengths.items()), default=0.0)
    needed = len(due) / STARTS_A_SECOND / longest if longest else math.inf
    return max(1, int(min(most, len(due) / URLS_OF_A_SHARD, needed, len(lengths))))


def _sweep_one(
    due: Sequence[DueUrl], plan: Sweep, log: Log, left: Left, tell: Callable[[int], None]
) -> tuple[SweepResult, Left]:
    """One sweep in this process, into a spool that becomes a part of the log."""
    spool = Spool(log, plan.shard)
    try:
        return sweep_shard(due, plan, spool.append, tell, left)
    finally:
        _give_back()
        spool.commit()


def _give_back() -> None:
    """Have the C library return what the sweep has freed, since Arrow takes from elsewhere what the commit needs: 250
    connections with TLS alone were 30 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _sweep_shards(
    due: Sequence[DueUrl],
    plan: Sweep,
    log: Log,
    workers: Workers,
    shards: int,
    known: Left,
    tell: Callable[[int], None],
) -> tuple[SweepResult, Left]:
    """`known` is what the controls told of the domains' pace."""
    shares: list[list[DueUrl]] = [[] for _ in range(shards)]
    for url in due:
        shares[shard_of(url.domain, shards)].append(url)
    common = replace(
        plan,
        shards=shards,
        concurrency=max(1, plan.concurrency // shards),
        nightly_seconds=plan.nightly_seconds * (1 - _LAST_SWEEP),
    )
    running: dict[Future[tuple[SweepResult, Left]], int] = {
        workers.pool.submit(sweep_in_worker, share, replace(common, shard=shard), log, known): shard
        for shard, share in enumerate(shares)
    }
    ended: list[tuple[SweepResult, Left, float]] = []
    waiting = set(running)
    while waiting:
        done, waiting = wait(waiting, timeout=plan.flush_seconds, return_when=FIRST_COMPLETED)
        ended += [(*future.result(), time.monotonic()) for future in done]
        tell(
            sum(result.checked + result.postponed for result, _, _ in ended)
            + sum(_told(log, running[future]) for future in waiting)
        )
    result, left = SweepResult(0, 0, 0, 0), Left()
    for asked, of_shard, at in ended:
        result += asked
        left.update(of_shard, time.monotonic() - at)
    return result, left


def sweep_in_worker(due: list[DueUrl], plan: Sweep, log: Log, known: Left) -> tuple[SweepResult, Left]:
    """The sweep of one shard. Runs in a worker process."""
    told = Spool(log, plan.shard).folder / _TOLD
    told.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _sweep_one(due, plan, log, known, lambda settled: _tell(told, settled))
    finally:
        told.unlink(missing_ok=True)


def _tell(file: Path, settled: int) -> None:
    with suppress(OSError):  # a bar that stands still is no reason to stop
        file.write_text(str(settled), "ascii")


def _told(log: Log, shard: int) -> int:
    try:
        return int((Spool(log, shard).folder / _TOLD).read_text("ascii") or 0)
    except (OSError, ValueError):  # not begun, or being written
        return 0

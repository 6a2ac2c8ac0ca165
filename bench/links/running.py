"""Runs the loads: every contender in turn, each run anew."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.links.contenders import Outcome, ask_with_linkchecker, ask_with_lychee, ask_with_sweep
from bench.links.loads import shapes
from bench.links.serving import serving
from bench.links.targets import Measured

_LINKCHECKER_URLS = 1_000
"""It takes about a millisecond and a half a URL: more of them tell no more."""


def measure(names: Sequence[str], size: float, runs: int, scratch: Path) -> Iterator[Measured]:
    """The loads so named, `size` times as large as the table says."""
    for name in names:
        shape = shapes()[name]
        count = max(1, int(shape.urls * size))
        with serving(scratch, shape.secure_hosts and max(1, count // 5)) as web:
            load = shape.make(web, count)
            limit = max(30.0, 1.8 * load.lower_bound) if load.gap else 120.0
            outcomes: dict[str, list[Outcome]] = {"newsledger": [], "lychee": []}
            for run in range(runs):
                # In turns, and the other one first in the next run: what the machine does besides hits both.
                for who in ("newsledger", "lychee") if run % 2 == 0 else ("lychee", "newsledger"):
                    if who == "newsledger":
                        outcomes[who].append(ask_with_sweep(load, web, scratch))
                    elif name != "open" and (not outcomes[who] or outcomes[who][-1].finished):
                        theirs = ask_with_lychee(load, web, scratch, limit)
                        if theirs is not None:
                            outcomes[who].append(theirs)
            if name == "open":
                del outcomes["lychee"]
            if name == "plain":
                few = shape.make(web, min(count, _LINKCHECKER_URLS))
                outcomes["linkchecker"] = [ask_with_linkchecker(few, web, scratch, limit)]
        yield Measured(load, outcomes)


def saved(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """All figures, as they are kept."""
    return [
        {
            "load": each.load.what,
            "urls": len(each.load.urls),
            "lower_bound": each.load.lower_bound,
            "runs": {who: [asdict(outcome) for outcome in outcomes] for who, outcomes in each.outcomes.items()},
        }
        for each in measured
    ]

"""Links are asked politely, once a night, and what they answer is written down.

`plan_sweep` turns settings into the rules of one night, `sweep` asks the URLs that are due under them and hands the
observations on in parts; `sweep_to_log` does so in as many processes as the URLs are worth, straight into the log.
Each hop of each URL waits for its own domain's pace, passes the address guard and is sent to
exactly the address that was checked. What libcurl does not call alive, requests is asked about too. What the
observations mean is said by `sql/links`, never here. `look_up` asks a web archive for copies of what is gone.

Knows no Dagster and no DuckDB, and of the lake its log of observations.
"""

from pipeline.links.archive import Lookup, Lookups, look_up
from pipeline.links.plan import DueUrl, Pace, Sweep, SweepResult, plan_sweep, within_budgets
from pipeline.links.shards import sweep_to_log
from pipeline.links.sweep import sweep
from pipeline.links.vocabulary import Client, ErrorClass, Kind, Method

__all__ = [
    "Client",
    "DueUrl",
    "ErrorClass",
    "Kind",
    "Lookup",
    "Lookups",
    "Method",
    "Pace",
    "Sweep",
    "SweepResult",
    "look_up",
    "plan_sweep",
    "sweep",
    "sweep_to_log",
    "within_budgets",
]

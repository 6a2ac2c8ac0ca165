"""A sweep in shards writes what one sweep writes, whatever runs the shards, and no domain is asked by two at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.executors import open_workers
from pipeline.lake.logs import Log, Logs
from pipeline.lake.store import Store
from pipeline.links import DueUrl, Sweep, SweepResult, shards, sweep_to_log
from pipeline.links.plan import shard_of
from pipeline.rehearsal import Rehearsal, Web, rehearse
from pipeline.settings import DomainRule, Executor, Links
from tests.clusters import cluster
from tests.hostile_web.night import LINKS, due_url, planned

GAP = 0.1
DOMAINS = [f"site{number}.example" for number in range(8)]
"""Of which each of three shards has some."""
WEB = Web.model_validate(
    {
        "hosts": {
            domain: {
                "paths": {
                    # A way through four domains, which comes home in the end; and one that ends nowhere.
                    "/away": {"status": 301, "location": f"http://{DOMAINS[(number + 1) % 8]}/further"},
                    "/further": {"status": 302, "location": f"http://{DOMAINS[(number + 2) % 8]}/here"},
                    "/lost": {"status": 302, "location": f"http://{DOMAINS[(number + 3) % 8]}/gone"},
                    "/gone": {"status": 404},
                    "/busy": {"sequence": [{"status": 503}, {"body": "<p>here</p>"}]},
                },
                "otherwise": {"status": 200},
            }
            for number, domain in enumerate(DOMAINS)
        }
        | {"closed.example": {"otherwise": {"status": 429, "headers": {"Retry-After": "1h"}}}}
    }
)
PATHS = ("p1", "p2", "away", "lost", "busy")
DUE = [
    *(due_url(f"http://{domain}/{path}") for path in PATHS for domain in DOMAINS),
    *(due_url(f"http://closed.example/{number}") for number in range(3)),
    due_url("http://nobody.example/"),
    due_url("ftp://site1.example/"),
]


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


@pytest.fixture(autouse=True)
def few_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "URLS_OF_A_SHARD", 1)
    monkeypatch.setattr(shards, "STARTS_A_SECOND", 1)


def observed(log: Log) -> Counter[tuple[object, ...]]:
    """The rows, without what no two nights share: times, and the shard."""
    columns = [
        *("check_id", "url_id", "kind", "client", "hop", "attempt", "request_url", "method", "http_status"),
        *("error_class", "redirect_to", "fingerprint", "title"),
    ]
    rows = pa.concat_tables([pq.read_table(file, columns=columns) for file in log.files()])
    return Counter(tuple(row.values()) for row in rows.to_pylist())


def night(
    rehearsal: Rehearsal, lake: Path | Store, executor: Executor, rules: Links = LINKS, due: list[DueUrl] = DUE
) -> tuple[SweepResult, Log]:
    log = Logs.of(lake).link_checks
    plan: Sweep = replace(planned(rehearsal.links(rules)), retry_delay=0.01)
    with open_workers(executor) as workers:
        return sweep_to_log(due, plan, log, workers), log


def test_the_domains_are_of_several_shards() -> None:
    assert {shard_of(domain, 3) for domain in DOMAINS} == {0, 1, 2}
    assert {shard_of(domain, 1) for domain in DOMAINS} == {0}


def test_three_shards_observe_what_one_sweep_does(rehearsal: Rehearsal, tmp_path: Path) -> None:
    alone, log = night(rehearsal, tmp_path / "alone", Executor(kind="serial"))
    with rehearse(WEB) as again:  # whose sequences begin anew
        sharded, log_of_shards = night(again, tmp_path / "shards", Executor(workers=3))
    assert sharded == alone
    assert alone.due == len(DUE) == alone.checked + alone.postponed
    assert observed(log_of_shards) == observed(log)
    rows = pa.concat_tables([pq.read_table(file, columns=["shard"]) for file in log_of_shards.files()])
    assert set(rows["shard"].to_pylist()) == {0, 1, 2, 3}, "three shards, and what they left to the last sweep"
    assert not list(log_of_shards.store.spools.glob("*/*")), "all is in the log"


@pytest.mark.timeout(120)
def test_two_workers_of_a_cluster_observe_what_one_sweep_does(rehearsal: Rehearsal, tmp_path: Path) -> None:
    alone, log = night(rehearsal, tmp_path / "alone", Executor(kind="serial"))
    with rehearse(WEB) as again, cluster(tmp_path, 2) as running:
        sharded, log_of_shards = night(again, tmp_path / "shards", running.executor)
    assert sharded == alone
    assert observed(log_of_shards) == observed(log)


def test_the_gap_of_a_domain_holds_across_shards(rehearsal: Rehearsal, tmp_path: Path) -> None:
    rules = LINKS.model_copy(update={"pace_seconds": GAP})
    result, _ = night(rehearsal, tmp_path, Executor(workers=3), rules)
    assert result.checked + result.postponed == len(DUE)
    for domain in DOMAINS:
        times = sorted(request.at for request in rehearsal.requests() if domain in request.host)
        assert len(times) > len(PATHS)
        assert min(later - earlier for earlier, later in pairwise(times)) >= GAP


def test_budgets_are_those_of_the_night_and_not_of_a_shard(rehearsal: Rehearsal, tmp_path: Path) -> None:
    rules = LINKS.model_copy(update={"nightly_budget": 10, "per_domain": {"site0.example": DomainRule(skip=True)}})
    told: list[tuple[int, int]] = []
    log = Logs.of(tmp_path).link_checks
    with open_workers(Executor(workers=3)) as workers:
        result = sweep_to_log(
            DUE, planned(rehearsal.links(rules)), log, workers, lambda done, of: told.append((done, of))
        )
    skipped = sum(url.domain == "site0.example" for url in DUE)
    assert (result.due, result.checked) == (len(DUE), 11)  # ten that were asked, and the one that never is
    assert result.postponed_by_reason == {"skipped": skipped}
    assert result.postponed == result.postponed_over_budget + skipped
    assert told[-1] == (len(DUE), len(DUE))


def test_a_night_without_time_postpones_what_was_led_away(rehearsal: Rehearsal, tmp_path: Path) -> None:
    rules = LINKS.model_copy(update={"nightly_minutes": 1e-9})
    result, _ = night(rehearsal, tmp_path, Executor(workers=3), rules)
    assert result.postponed_by_reason["minutes"] + result.checked == len(DUE)
    assert result.checked <= 1  # what is never asked takes no time


@pytest.mark.parametrize(("gap", "urls", "worth"), [(1.0, 50_000, 1), (0.0, 9_000, 1), (0.0, 50_000, 2)])
def test_shards_are_made_where_they_are_worth_it(
    monkeypatch: pytest.MonkeyPatch, gap: float, urls: int, worth: int
) -> None:
    monkeypatch.undo()
    domains = [f"s{number % 900}.example" for number in range(urls)]
    due = [DueUrl(str(number), f"http://{domain}/{number}", domain) for number, domain in enumerate(domains)]
    plan = planned(LINKS.model_copy(update={"pace_seconds": gap}))
    assert shards.shards_worth(due, plan, 2) == worth
    assert shards.shards_worth([], plan, 2) == 1

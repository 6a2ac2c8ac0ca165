"""The gap between two starts of a domain is a minimum, whatever happens; the clock here is a number."""

import math
import random
from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from pipeline.errors import SettingsError
from pipeline.links.pacing import UNPROVEN_CONNECTIONS, Pacer
from pipeline.links.plan import Pace, plan_sweep
from pipeline.settings import DomainRule, Links


def drive(pace: Pace, seed: int) -> dict[str, list[float]]:
    """Plays a busy night with late wakings, slow answers, names to resolve, retries and pauses; returns the starts."""
    chance = random.Random(seed)
    pacer: Pacer[str] = Pacer(lambda _domain: pace)
    domains = [f"d{number}" for number in range(5)]
    for number in range(100):
        pacer.put(chance.choice(domains), f"item {number}")
    starts: dict[str, list[float]] = defaultdict(list)
    under_way: list[tuple[float, str]] = []
    now = 100.0
    done = 0
    while done < 100:
        wakes_at = pacer.wakes_at()
        now = max(now, min([time for time, _ in under_way] + ([] if wakes_at is None else [wakes_at])))
        now += chance.random() * 0.05  # a loop is never on time
        for ended in [each for each in under_way if each[0] <= now]:
            under_way.remove(ended)
            pacer.finished(ended[1], now - chance.random() * 0.02)
            done += 1
        taken = pacer.take(now)
        if taken is None:
            continue
        domain, item = taken
        if chance.random() < 0.2:  # its name is not resolved yet, or the client is busy
            pacer.release(domain)
            if chance.random() < 0.5:
                pacer.put_later(domain, item, now + chance.random())
            else:
                pacer.put(domain, item, first=True)
            continue
        pacer.started(domain, now)
        starts[domain].append(now)
        if chance.random() < 0.1:
            pacer.pause(domain, now + chance.random())
        under_way.append((now + chance.random() * 0.4, domain))
        assert sum(each == domain for _, each in under_way) <= pace.connections
    return starts


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("pace", [Pace(0.1), Pace(0.5), Pace(0.1, connections=3), Pace(0.0)])
def test_no_two_starts_of_a_domain_are_closer_than_its_gap(pace: Pace, seed: int) -> None:
    starts = drive(pace, seed)
    assert sum(len(times) for times in starts.values()) == 100
    for times in starts.values():
        assert all(later - earlier >= pace.gap for earlier, later in pairwise(times))


@pytest.mark.parametrize(
    ("domain", "unit"),
    [("www.bbc.co.uk", "bbc.co.uk"), ("news.example.org", "example.org"), ("example.org.", "example.org")],
)
def test_an_exception_for_a_host_names_the_domain_that_it_must_be_for(domain: str, unit: str) -> None:
    links = Links(per_domain={domain: DomainRule(pace_seconds=5)})
    with pytest.raises(SettingsError, match=f"write '{unit}'"):
        plan_sweep(links, night=date(2026, 3, 1), refresh_id="r", now=lambda: datetime(2026, 3, 1, tzinfo=UTC))


def test_an_exception_keeps_what_it_does_not_change() -> None:
    rules = {"Example.org": DomainRule(pace_seconds=5), "b.example": DomainRule(connections=4)}
    links = Links(pace_seconds=2, connections=3, per_domain=rules)
    plan = plan_sweep(links, night=date(2026, 3, 1), refresh_id="r", now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert plan.pace_of("example.org") == Pace(5, 3)
    assert plan.pace_of("b.example") == Pace(2, 4)
    assert plan.pace_of("any.example") == Pace(2, 3)


def test_the_longest_queue_goes_first_so_that_the_night_is_no_longer_than_it_must_be() -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(1.0))
    for domain, length in (("a", 1), ("b", 3), ("c", 2)):
        for number in range(length):
            pacer.put(domain, f"{domain}{number}")
    assert [pacer.take(5.0) for _ in range(3)] == [("b", "b0"), ("c", "c0"), ("a", "a0")]


def played(pacer: Pacer[str]) -> dict[str, list[float]]:
    """The starts of each domain where every answer comes at once and the clock is never late."""
    starts: dict[str, list[float]] = defaultdict(list)
    now = 0.0
    while True:
        while (taken := pacer.take(now)) is not None:
            pacer.started(taken[0], now)
            pacer.finished(taken[0], now)
            starts[taken[0]].append(now)
        wakes_at = pacer.wakes_at()
        if wakes_at is None:
            return starts
        now = max(now, wakes_at)


@pytest.mark.parametrize(("ends_at", "done_by"), [(math.inf, 10.0), (3.0, 3.0)])
def test_short_queues_are_spread_over_the_time_that_the_longest_takes(ends_at: float, done_by: float) -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(1.0), ends_at)
    for number in range(300):
        pacer.put(f"short {number % 100}", "x")
    for _ in range(11):
        pacer.put("long", "x")
    starts = played(pacer)
    assert starts.pop("long") == [float(second) for second in range(11)]
    times = sorted(time for each in starts.values() for time in each)
    assert len(times) == 300
    assert times[-1] <= done_by
    assert times[150] > done_by / 4  # not all of them at the beginning
    ended = [each[-1] for each in starts.values() if each[0] < done_by / 4]
    assert max(ended) < done_by / 2 + 2  # what has begun goes on: its connection is open


def test_without_a_gap_the_domain_whose_connection_is_open_goes_on() -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(0.0, connections=10))
    for domain in "abc":
        for number in range(3):
            pacer.put(domain, f"{domain}{number}")
    assert [pacer.take(5.0) for _ in range(2)] == [("a", "a0"), ("b", "b0")]
    pacer.finished("b", 5.0)
    assert pacer.take(5.0) == ("b", "b1")
    assert pacer.take(5.0) == ("c", "c0")


def test_a_domain_that_does_not_answer_gets_few_connections_and_then_fewer() -> None:
    pacer: Pacer[int] = Pacer(lambda _domain: Pace(0.0, connections=10))
    for number in range(30):
        pacer.put("a", number)

    def taken() -> int:
        return sum(pacer.take(5.0) is not None for _ in range(30))

    assert taken() == UNPROVEN_CONNECTIONS
    for _ in range(3):
        pacer.times_out("a")
        pacer.finished("a", 5.0)
    assert taken() == 0
    pacer.answers("a")
    pacer.finished("a", 5.0)
    assert taken() == 9


def test_one_slow_domain_does_not_hold_up_another() -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(10.0))
    for item in ("a1", "a2", "a3"):
        pacer.put("a", item)
    pacer.put("b", "b1")
    assert pacer.take(1.0) == ("a", "a1")
    assert pacer.take(1.0) == ("b", "b1")
    assert pacer.take(1.0) is None


def test_a_shorter_pause_does_not_undo_a_longer_one() -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(0.0))
    pacer.put("a", "x")
    pacer.pause("a", 60.0)
    pacer.pause("a", 5.0)
    assert pacer.take(59.0) is None
    assert pacer.take(60.0) == ("a", "x")


def test_the_gap_counts_from_when_the_request_left() -> None:
    """A slow connect must not bring the next request closer, as the server sees it."""
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(1.0))
    pacer.put("a", "x")
    pacer.put("a", "y")
    pacer.take(0.0)
    pacer.started("a", 0.0)
    pacer.finished("a", 0.4)
    assert pacer.take(1.3) is None
    assert pacer.take(1.4) == ("a", "y")


def test_a_retry_goes_before_the_rest_once_its_time_has_come() -> None:
    pacer: Pacer[str] = Pacer(lambda _domain: Pace(0.0))
    pacer.put("a", "next")
    pacer.put_later("a", "retry", 5.0)
    assert pacer.wakes_at() == 0.0
    assert pacer.take(5.0) == ("a", "retry")
    assert pacer.drain() == ["next"]

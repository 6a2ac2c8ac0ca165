"""The gap between two starts of a domain is a minimum, whatever happens; the clock here is a number."""

import random
from collections import defaultdict
from itertools import pairwise

import pytest

from pipeline.links.pacing import Pacer
from pipeline.links.plan import Pace


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

"""The benchmark of the links, in small: the loads are what they say, and what the web measures is so."""

from collections import Counter
from pathlib import Path

import pytest

from bench.links.contenders import Outcome
from bench.links.loads import Load, shapes, zipf
from bench.links.running import measure, saved
from bench.links.serving import host, serving
from bench.links.targets import Measured, lines, targets
from bench.links.web import Seen


def test_the_shares_of_hosts_fall_and_sum_up() -> None:
    shares = list(zipf(10_000, 1_712, 315))
    assert (len(shares), shares[0], min(shares)) == (1_712, 315, 2)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(10_000, rel=0.02)


def test_both_orders_of_the_paced_load_ask_the_same(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        shuffled, grouped = (shapes()[f"paced-{order}"].make(web, 500) for order in ("shuffled", "grouped"))
    assert Counter(shuffled.urls) == Counter(grouped.urls)
    assert shuffled.urls != grouped.urls
    assert shuffled.lower_bound == grouped.lower_bound == pytest.approx((500 * 3_150 // 100_000 - 1) * 0.02)


def test_a_hundred_networks_hold_their_hosts() -> None:
    assert len({host(number) for number in range(20_000)}) == 20_000
    assert all(host(number).split(".")[3] not in ("0", "255") for number in range(1_000))


def test_loads_run_in_small(tmp_path: Path) -> None:
    """The sweep settles every URL as the load means it; the gap holds at the server; lychee finds the same alive."""
    tls, paced = measure(["tls", "paced-grouped"], 0.005, 1, tmp_path)
    for each in (tls, paced):
        assert each.ours[0].good == len(each.load.urls) == each.ours[0].seen.requests
        assert each.ours[0].peak_bytes > 0
    assert (paced.ours[0].seen.least_gap or 0) >= 0.02
    assert tls.outcomes["lychee"][0].good == 50
    assert [figures["load"] for figures in saved([tls, paced])] == [tls.load.what, paced.load.what]
    assert {target.beside for target in targets([tls, paced])} == {"lychee", ""}


def test_a_peer_without_a_result_is_no_ratio() -> None:
    load = Load("plain", "plain", ("http://127.1.0.1/",), 1)
    seen = Seen(1, 1, 1, 1, 1, None, 1.0)
    ours = Outcome("newsledger", 1, 1.0, 1.0, 1, 1, True, seen)
    late = Outcome("lychee", 1, 120.0, 1.0, 1, 0, False, seen)
    each = Measured(load, {"newsledger": [ours], "lychee": [late]})
    assert list(targets([each])) == []
    assert "no result in 120 s" in "\n".join(lines(each))

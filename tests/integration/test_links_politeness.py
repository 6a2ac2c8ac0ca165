"""The sweep keeps its manners: pace, pauses, budgets, and one question for all URLs of a host that is not there."""

import base64
import gzip
import os
import pickle
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.links import sweep
from pipeline.links.plan import Pace
from pipeline.rehearsal import Rehearsal, Web, rehearse
from tests.hostile_web.night import LINKS, due_url, planned, sweep_night

BOMB = base64.b64encode(gzip.compress(bytes(20_000_000))).decode()
WEB = Web.model_validate(
    {
        "hosts": {
            "paced.example": {
                "paths": {"/moved": {"status": 302, "location": "/p1"}, "/gone": {"status": 404}},
                "otherwise": {"status": 200},
            },
            "www.paced.example": {"otherwise": {"status": 302, "location": "http://paced.example/p2"}},
            "fast.example": {
                "paths": {"/empty": {"body": ""}, "/drops": {"fault": "empty"}},
                "otherwise": {"status": 200},
            },
            "waiting.example": {
                "paths": {
                    "/busy": {
                        "sequence": [{"status": 503, "headers": {"Retry-After": "1"}}, {"body": "<p>here</p>"}],
                    }
                },
                "otherwise": {"status": 200},
            },
            "closed.example": {"otherwise": {"status": 429, "headers": {"Retry-After": "1h"}}},
            "stalled.example": {"connect": "stalled"},
            "slow.example": {"otherwise": {"status": 200, "delay": 0.8}},
            "bomb.example": {
                "paths": {
                    "/gzip": {"body_base64": BOMB, "headers": {"Content-Encoding": "gzip"}},
                    "/large": {"body": "x" * 1_000_000},
                    "/gone-bomb": {"status": 404, "body_base64": BOMB, "headers": {"Content-Encoding": "gzip"}},
                }
            },
            "cookies.example": {
                "paths": {
                    "/set": {"status": 302, "location": "/next", "headers": {"Set-Cookie": "id=1; Path=/"}},
                    "/next": {"status": 404},
                }
            },
            "secure.example": {"tls": "valid", "paths": {"/empty": {"body": ""}}, "otherwise": {"status": 200}},
        }
    }
)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


def gaps(rehearsal: Rehearsal, domain: str) -> list[float]:
    """Seconds between the requests of a domain, as its server saw them."""
    times = sorted(request.at for request in rehearsal.requests() if domain in request.host)
    return [later - earlier for earlier, later in pairwise(times)]


def test_the_gap_of_a_domain_holds_over_hosts_hops_and_clients(rehearsal: Rehearsal) -> None:
    paths = [f"http://paced.example/p{number}" for number in range(4)]
    due = [
        due_url(url)
        for url in [*paths, "http://www.paced.example/", "http://paced.example/moved", "http://paced.example/gone"]
    ]
    night = sweep_night(due, replace(planned(rehearsal.links(LINKS)), pace=Pace(0.15)))
    measured = gaps(rehearsal, "paced.example")
    # 4 pages, 2 redirects with a target each, 1 gone asked by both clients, 1 random path since /moved became /p1
    assert len(measured) == 10
    assert min(measured) >= 0.15
    starts = sorted(row["started_at"] for row in night.checks.to_pylist())
    assert min((later - earlier).total_seconds() for earlier, later in pairwise(starts)) >= 0.15


def test_several_connections_of_a_domain_keep_the_gap_too(rehearsal: Rehearsal) -> None:
    plan = replace(planned(rehearsal.links(LINKS)), pace=Pace(0.05, connections=3))
    night = sweep_night([due_url(f"http://fast.example/{number}") for number in range(8)], plan)
    starts = sorted(row["started_at"] for row in night.checks.to_pylist())
    assert len(starts) == 8
    assert min((later - earlier).total_seconds() for earlier, later in pairwise(starts)) >= 0.05


def test_retry_after_pauses_the_whole_host(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://waiting.example/{path}") for path in ("busy", "a", "b")]
    night = sweep_night(due, planned(rehearsal.links(LINKS)))
    first, second = [request.at for request in rehearsal.requests()][:2]
    assert second - first >= 1.0
    assert {verdict["verdict"] for verdict in night.verdicts().values()} == {"alive"}


def test_a_host_that_wants_an_hour_is_set_aside_for_the_night(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://closed.example/{number}") for number in range(4)]
    night = sweep_night(due, planned(rehearsal.links(LINKS)))
    assert len(rehearsal.requests()) == 1
    assert night.result.postponed == 4
    assert {verdict["verdict"] for verdict in night.verdicts().values()} == {"postponed"}


def test_a_name_that_does_not_exist_is_asked_once_for_all_its_urls(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://not-there.example/{number}") for number in range(3)]
    night = sweep_night(due, planned(rehearsal.links(LINKS)))
    assert [(row["kind"], row["error_class"]) for row in night.checks.to_pylist()] == [
        ("request", "dns_nxdomain"),
        ("shared", "dns_nxdomain"),
        ("shared", "dns_nxdomain"),
    ]
    assert {verdict["verdict"] for verdict in night.verdicts().values()} == {"unreachable"}


def test_five_time_outs_settle_a_host_once_the_second_client_agrees(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://stalled.example/{number}") for number in range(9)]
    plan = replace(planned(rehearsal.links(LINKS)), timeout_seconds=0.25, retry_delay=1.0)
    night = sweep_night(due, plan)
    asked = [row for row in night.checks.to_pylist() if row["kind"] == "request"]
    assert [row["client"] for row in asked].count("requests") == 1
    assert len({row["url_id"] for row in asked}) == 5
    assert {row["error_class"] for row in night.checks.to_pylist()} <= {"connect_timeout", "read_timeout"}
    assert {verdict["verdict"] for verdict in night.verdicts().values()} == {"unreachable"}


def test_a_silent_host_is_shown_to_both_clients_side_by_side_where_its_pace_allows(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://stalled.example/{number}") for number in range(9)]
    plan = replace(planned(rehearsal.links(LINKS)), timeout_seconds=1.0, pace=Pace(0, connections=6))
    rows = sweep_night(due, plan).checks.to_pylist()
    asked = [row for row in rows if row["kind"] == "request"]
    first, second = ([row for row in asked if row["client"] == client] for client in ("libcurl", "requests"))
    assert (len(first), len(second)) == (5, 1)
    assert second[0]["url_id"] in {row["url_id"] for row in first}
    assert second[0]["started_at"] < min(row["started_at"] for row in first) + timedelta(seconds=1)
    assert {row["url_id"] for row in rows if row["kind"] == "shared"} == {url.url_id for url in due}


def test_a_slow_host_is_not_taken_for_a_silent_one(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://slow.example/{number}") for number in range(9)]
    plan = replace(planned(rehearsal.links(LINKS)), timeout_seconds=1.6, pace=Pace(0, connections=6))
    night = sweep_night(due, plan)
    assert {verdict["verdict"] for verdict in night.verdicts().values()} == {"alive"}
    assert [row["client"] for row in night.checks.to_pylist()].count("requests") == 1
    assert len({row["check_id"] for row in night.checks.to_pylist()}) == night.checks.num_rows == 10


def test_a_sweep_that_waits_takes_no_cpu(rehearsal: Rehearsal) -> None:
    """Connections come and go, then one URL answers nothing for a second: the loop sleeps."""
    due = [due_url(url) for url in ("http://fast.example/a", "http://fast.example/drops", "http://stalled.example/a")]
    plan = replace(planned(rehearsal.links(LINKS)), timeout_seconds=1.5, retries=0, second_opinion=False)
    before = time.thread_time()
    sweep_night(due, plan)
    assert time.thread_time() - before < 0.75  # half of the wait: a loop that spins takes all of it


def test_what_the_minutes_do_not_reach_is_postponed_with_its_reason(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://fast.example/{number}") for number in range(6)]
    plan = replace(planned(rehearsal.links(LINKS)), pace=Pace(0.2), nightly_seconds=0.5)
    night = sweep_night(due, plan)
    assert night.result.checked == 3
    assert night.result.postponed_by_reason == {"minutes": 3}
    assert [row["kind"] for row in night.checks.to_pylist()].count("postponed") == 3


def test_what_the_budgets_leave_out_is_counted_without_rows(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://{host}.example/{number}") for host in ("fast", "paced") for number in range(4)]
    plan = replace(planned(rehearsal.links(LINKS)), nightly_budget=5, domain_budget=3)
    night = sweep_night(due, plan)
    assert (night.result.checked, night.result.postponed_over_budget) == (5, 3)
    assert night.checks.num_rows == 5


def test_observations_are_handed_on_in_parts(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://fast.example/{number}") for number in range(12)]
    night = sweep_night(due, replace(planned(rehearsal.links(LINKS)), flush_rows=6))
    assert [table.num_rows for table in night.tables] == [3, 3, 3, 3]  # half the limit, while the other half gathers


def test_an_interrupt_keeps_what_was_observed(rehearsal: Rehearsal) -> None:
    due = [due_url(f"http://fast.example/{number}") for number in range(20)]
    plan = replace(planned(rehearsal.links(LINKS)), pace=Pace(0.1), flush_seconds=0.25)
    tables: list[pa.Table] = []

    def interrupt(done: int, total: int) -> None:
        if 0 < done < total:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sweep(due, plan, tables.append, interrupt)
    kinds = pa.concat_tables(tables)["kind"].to_pylist()
    assert kinds.count("request") >= 2
    assert kinds.count("postponed") + kinds.count("request") == 20


@pytest.mark.parametrize(("scheme", "host"), [("http", "fast.example"), ("https", "secure.example")])
def test_a_resolved_name_is_connected_at_exactly_the_checked_address(
    rehearsal: Rehearsal, scheme: str, host: str
) -> None:
    """Without connect_to, both clients connect to what the name server said, under the URL's own name. An empty page
    makes the second client be asked."""
    port = rehearsal.connect_to[f"{host}:{443 if scheme == 'https' else 80}"].rpartition(":")[2]
    links = rehearsal.links(LINKS).model_copy(update={"connect_to": {}})
    night = sweep_night([due_url(f"{scheme}://{host}:{port}/empty")], planned(links))
    rows = night.checks.to_pylist()
    assert [row["client"] for row in rows] == ["libcurl", "requests"]
    assert {(row["error_class"], row["ip"]) for row in rows} == {(None, "127.0.0.1")}
    assert all(row["dns_ms"] > 0 for row in rows)


def test_a_name_that_leads_to_a_private_address_is_refused(rehearsal: Rehearsal) -> None:
    links = rehearsal.links(LINKS).model_copy(update={"connect_to": {}, "allow_addresses": ()})
    night = sweep_night([due_url("http://fast.example/")], planned(links))
    assert [(row["kind"], row["error_class"]) for row in night.checks.to_pylist()] == [("guard", "address_refused")]
    assert rehearsal.requests() == []


def test_an_error_of_the_log_ends_the_sweep(rehearsal: Rehearsal) -> None:
    def full(_table: pa.Table) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        sweep([due_url("http://fast.example/")], planned(rehearsal.links(LINKS)), full)


def test_a_body_is_read_up_to_a_cap_however_it_is_packed(rehearsal: Rehearsal) -> None:
    paths = ("gzip", "large", "gone-bomb")
    night = sweep_night([due_url(f"http://bomb.example/{path}") for path in paths], planned(rehearsal.links(LINKS)))
    rows = night.checks.to_pylist()
    assert {row["client"] for row in rows} == {"libcurl", "requests"}
    assert max(row["bytes_read"] for row in rows) <= 65_536
    assert [night.verdicts()[f"http://bomb.example/{path}"]["verdict"] for path in paths] == ["alive", "alive", "gone"]


def test_no_cookie_proxy_or_netrc_takes_part(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine cookies.example login me password secret\n")
    netrc.chmod(0o600)
    for name, value in {"NETRC": str(netrc), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    night = sweep_night([due_url("http://cookies.example/set")], planned(rehearsal.links(LINKS)))
    assert [(row["client"], row["http_status"]) for row in night.checks.to_pylist()] == [
        ("libcurl", 302),
        ("libcurl", 404),
        ("requests", 302),
        ("requests", 404),
    ]
    for request in rehearsal.requests():
        assert not {"cookie", "authorization", "proxy-authorization"} & set(request.headers)


def test_a_plan_can_be_sent_to_another_process(rehearsal: Rehearsal) -> None:
    plan = planned(rehearsal.links(LINKS))
    assert pickle.loads(pickle.dumps(plan)) == plan

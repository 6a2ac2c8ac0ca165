"""A web archive is asked for copies: what it can answer, and that nothing depends on it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pyarrow as pa
import pytest

from pipeline.links.archive import Lookup, Lookups, look_up, read_answer
from pipeline.links.plan import Pace, Sweep
from pipeline.rehearsal import Rehearsal, Web, rehearse
from pipeline.settings import Wayback
from tests.hostile_web.night import LINKS, planned
from tests.tables import uid

COPY = "http://web.archive.example/web/20240503000000/https://gone.example/x?a=1&b=2"


def answer(closest: dict[str, object] | None) -> dict[str, object]:
    body = {"url": "x", "archived_snapshots": {} if closest is None else {"closest": closest}}
    return {"type": "application/json", "body": json.dumps(body)}


def copy(**other: object) -> dict[str, object]:
    return answer({"available": True, "url": COPY, "timestamp": "20240503000000", "status": "200"} | other)


def path(name: str, timestamp: str = "20240501000000") -> str:
    return f"/available?url=https%3A%2F%2Fgone.example%2F{name}&timestamp={timestamp}"


WEB = Web.model_validate(
    {
        "hosts": {
            "archive.example": {
                "paths": {
                    path("x%3Fa%3D1%26b%3D2"): copy(),
                    path("latest", ""): copy(),
                    path("miss"): answer(None),
                    path("only-a-404"): copy(status="404"),
                    path("withdrawn"): copy(available=False),
                    path("elsewhere"): {"status": 302, "location": "https://moved-archive.example/x"},
                    path("to-private"): {"status": 302, "location": "http://10.0.0.1/"},
                    path("slow"): {"delay": 5.0},
                    path("garbage"): {"body": "<html>busy</html>"},
                    path("list"): {"type": "application/json", "body": "[]"},
                    path("null"): {"type": "application/json", "body": '{"archived_snapshots": null}'},
                    path("bad-time"): copy(timestamp="yesterday"),
                    path("bad-url"): copy(url="javascript:alert(1)"),
                    path("busy"): {"status": 429, "headers": {"Retry-After": "1"}},
                    path("closed"): {"status": 429, "headers": {"Retry-After": "2h"}},
                    path("error"): {"status": 503},
                    path("deep"): {"type": "application/json", "body": "[" * 60_000},
                },
            },
            "moved-archive.example": {"paths": {"/x": copy()}},
            "stalled.example": {"connect": "stalled"},
        }
    }
)
ARCHIVE = Wayback(enabled=True, endpoint="https://archive.example/available", pace_seconds=0.0)


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


@pytest.fixture
def plan(rehearsal: Rehearsal) -> Sweep:
    return planned(rehearsal.links(LINKS))


def lookup(name: str, timestamp: str = "20240501000000") -> Lookup:
    return Lookup(uid(1), f"https://gone.example/{name}", timestamp)


def asked(plan: Sweep, *names: str, archive: Wayback = ARCHIVE) -> tuple[Lookups, list[dict[str, object]]]:
    tables: list[pa.Table] = []
    result = look_up([lookup(name) for name in names], plan, archive, tables.append)
    return result, pa.concat_tables(tables).to_pylist() if tables else []


def test_a_copy_near_the_publication_is_found(rehearsal: Rehearsal, plan: Sweep) -> None:
    """The URL goes whole into the question, and the copy is named by https as the archive was."""
    result, [row] = asked(plan, "x?a=1&b=2")
    assert result == Lookups(asked=1, found=1, failed=0)
    assert row["snapshot_url"] == COPY.replace("http://web", "https://web")
    assert row["snapshot_at"] == datetime(2024, 5, 3, tzinfo=UTC)
    assert (row["kind"], row["client"], row["url_id"], row["http_status"]) == ("archive", "requests", uid(1), 200)
    assert row["request_url"] == "https://archive.example" + path("x%3Fa%3D1%26b%3D2")
    last = rehearsal.requests()[-1]
    assert "newsledger.example/bot" in last.headers["user-agent"]
    assert not {"cookie", "authorization", "range"} & set(last.headers)


def test_without_a_date_the_latest_copy_is_asked_for(plan: Sweep) -> None:
    result = look_up([lookup("latest", "")], plan, ARCHIVE, lambda _: None)
    assert result.found == 1


@pytest.mark.parametrize("name", ["miss", "only-a-404", "withdrawn"])
def test_no_copy_of_a_page_that_was_there_is_a_miss_and_no_failure(plan: Sweep, name: str) -> None:
    result, [row] = asked(plan, name)
    assert result == Lookups(asked=1, found=0, failed=0)
    assert (row["snapshot_url"], row["error_class"], row["http_status"]) == (None, None, 200)


@pytest.mark.parametrize("name", ["garbage", "list", "null", "bad-time", "bad-url", "deep"])
def test_what_is_no_answer_of_the_api_is_a_failure(plan: Sweep, name: str) -> None:
    result, [row] = asked(plan, name)
    assert result == Lookups(asked=1, found=0, failed=1)
    assert (row["snapshot_url"], row["error_class"]) == (None, "bad_response")


def test_hops_are_followed_under_the_same_guard(plan: Sweep) -> None:
    result, rows = asked(plan, "elsewhere", "to-private")
    assert (result.found, result.failed) == (1, 1)
    assert [(row["hop"], row["http_status"], row["error_class"]) for row in rows] == [
        (0, 302, None),
        (1, 200, None),
        (0, 302, None),
        (1, None, "address_refused"),
    ]


def test_an_archive_that_is_slow_is_not_waited_for(plan: Sweep) -> None:
    result, [row] = asked(replace(plan, timeout_seconds=0.3), "slow")
    assert (result.failed, row["error_class"]) == (1, "read_timeout")


def test_an_archive_that_fails_three_times_in_a_row_is_left_alone(plan: Sweep) -> None:
    result, rows = asked(plan, "error", "miss", "error", "error", "error", "miss")
    assert (result.asked, result.failed, len(rows)) == (5, 4, 5)
    assert result.given_up == "https://archive.example/available answered: 503"


def test_an_archive_that_asks_to_be_left_alone_is(plan: Sweep) -> None:
    result, rows = asked(plan, "closed", "miss")
    assert (result.asked, rows[0]["retry_after_seconds"]) == (1, 7200.0)
    assert result.given_up is not None


def test_the_pace_and_a_retry_after_hold(rehearsal: Rehearsal, plan: Sweep) -> None:
    before = len(rehearsal.requests())
    asked(plan, "miss", "busy", "miss", archive=ARCHIVE.model_copy(update={"pace_seconds": 0.2}))
    times = [request.at for request in rehearsal.requests()[before:]]
    first, second = (later - earlier for earlier, later in pairwise(times))
    assert first >= 0.19
    assert second >= 0.99


def test_an_exception_of_the_archive_s_domain_holds_for_it_too(rehearsal: Rehearsal, plan: Sweep) -> None:
    before = len(rehearsal.requests())
    asked(replace(plan, paces={"archive.example": Pace(0.3)}), "miss", "miss")
    first, second = (request.at for request in rehearsal.requests()[before:])
    assert second - first >= 0.29


def test_a_night_asks_no_more_than_its_budget_and_its_minutes(plan: Sweep) -> None:
    result, _ = asked(plan, "miss", "miss", "miss", archive=ARCHIVE.model_copy(update={"nightly_budget": 2}))
    assert result.asked == 2
    result, _ = asked(replace(plan, nightly_seconds=-1), "miss")
    assert (result.asked, result.given_up) == (0, "the night's minutes ran out")


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        ("https://not-there.example/available", "dns_nxdomain"),
        ("http://127.0.0.1:9/available", None),
        ("http://10.0.0.1/available", "address_refused"),
        ("http://stalled.example/available", "connect_timeout"),
    ],
)
def test_an_archive_that_is_not_there_fails_nothing(plan: Sweep, endpoint: str, error: str | None) -> None:
    archive = ARCHIVE.model_copy(update={"endpoint": endpoint})
    result, rows = asked(replace(plan, timeout_seconds=0.3), "a", "b", "c", "d", archive=archive)
    assert (result.asked, result.found, result.failed) == (3, 0, 3)
    assert result.given_up is not None
    assert error is None or {row["error_class"] for row in rows} == {error}


def test_an_answer_may_hold_more_than_is_known() -> None:
    body = {"archived_snapshots": {"closest": {"available": True, "url": COPY, "timestamp": "20240503000000",
            "status": "206", "more": 1}, "other": {}}, "tag": ""}  # fmt: skip
    snapshot = read_answer(json.dumps(body).encode())
    assert snapshot is not None
    assert snapshot.url == COPY

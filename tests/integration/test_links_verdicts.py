"""A hostile web is swept, and the verdict of each labelled case comes out of the SQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.model.logs import REFRESHES
from pipeline.rehearsal import Rehearsal, load_web, rehearse
from pipeline.settings import DomainRule
from tests.integration.links_night import LINKS, NIGHT, Night, due_url, labelled, planned, sweep_night

WEB = load_web(Path(__file__).parent / "links_web.yaml")
LABELS = labelled(WEB)
UNASKED = {
    "http://192.168.1.1/x": "refused",
    "http://[::ffff:7f00:2]/x": "refused",
    "mailto:a@plain.example": "malformed",
    "http://plain.example/a\\b": "malformed",
}


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


@pytest.fixture(scope="module")
def night(rehearsal: Rehearsal) -> Night:
    return sweep_night([due_url(url) for url in [*LABELS, *UNASKED]], planned(rehearsal.links(LINKS)))


@pytest.fixture(scope="module")
def verdicts(night: Night) -> dict[str, dict[str, object]]:
    return night.verdicts()


@pytest.mark.parametrize(("url", "expected"), (LABELS | UNASKED).items(), ids=(LABELS | UNASKED).keys())
def test_each_labelled_url_gets_its_verdict(
    night: Night, verdicts: dict[str, dict[str, object]], url: str, expected: str
) -> None:
    assert verdicts[url]["verdict"] == expected, night.story(url)


def test_every_due_url_is_accounted_for(night: Night) -> None:
    """URLs due = checked + postponed, and each has a row."""
    assert night.result.due == len(night.due) == night.result.checked + night.result.postponed
    assert set(night.checks["url_id"].to_pylist()) == {due.url_id for due in night.due}


def test_check_ids_are_unique(night: Night) -> None:
    ids = night.checks["check_id"].to_pylist()
    assert len(ids) == len(set(ids))


def test_a_verdict_names_the_observations_behind_it(night: Night, verdicts: dict[str, dict[str, object]]) -> None:
    for url, verdict in verdicts.items():
        assert verdict["check_ids"] == [row["check_id"] for row in night.rows(url)], url


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("moved", "http://moving.example/new-home"),
        ("moved-308", "http://plain.example/alive"),
        ("mixed", "http://moving.example/mixed-2"),
        ("to-www", "http://www.moving.example/to-www"),
        ("found", None),
        ("to-gone", None),
    ],
)
def test_only_leading_permanent_hops_say_where_a_page_moved(
    verdicts: dict[str, dict[str, object]], path: str, target: str | None
) -> None:
    assert verdicts[f"http://moving.example/{path}"]["moved_permanently_to"] == target


def test_the_soft_404_signals_have_names(verdicts: dict[str, dict[str, object]]) -> None:
    def signals(url: str) -> object:
        return verdicts[url]["signals"]

    assert signals("http://softly.example/deep/story") == ["ended_at_root"]
    assert signals("http://softly.example/other/story") == ["not_found_path"]
    assert signals("http://pile.example/a") == ["many_to_one_target"]
    assert signals("http://plain.example/empty") == ["empty_answer"]
    assert signals("http://plain.example/alive") == []


def test_a_title_is_text_with_its_entities_undone(verdicts: dict[str, dict[str, object]]) -> None:
    assert verdicts["http://plain.example/alive"]["title"] == "Café & news"


def test_where_the_clients_disagree_the_better_word_stands(verdicts: dict[str, dict[str, object]]) -> None:
    verdict = verdicts["http://plain.example/second-client"]
    assert (verdict["verdict"], verdict["clients_disagree"], verdict["confidence"]) == ("alive", True, 0.8)


def test_both_clients_agree_on_the_error_classes(night: Night) -> None:
    """The words of the log do not depend on who asked."""
    differing = {}
    for url in LABELS:
        last = {row["client"]: row["error_class"] for row in night.rows(url) if row["kind"] == "request"}
        if len(set(last.values())) > 1 and LABELS[url] not in ("alive", "soft_404"):
            differing[url] = last
    assert differing == {}


def test_a_failing_page_is_retried_twice_and_confirmed_once(night: Night) -> None:
    asked = [(row["client"], row["attempt"]) for row in night.rows("http://plain.example/error")]
    assert asked == [("libcurl", 1), ("libcurl", 2), ("libcurl", 3), ("requests", 1)]


def test_a_head_failure_is_asked_again_with_get(night: Night) -> None:
    asked = [(row["client"], row["method"]) for row in night.rows("http://plain.example/lying-head.png")]
    assert asked == [("libcurl", "HEAD"), ("libcurl", "GET")]


def test_a_refused_redirect_is_a_row_of_ours_and_nothing_is_sent(night: Night, rehearsal: Rehearsal) -> None:
    row = night.rows("http://moving.example/to-private")[-1]
    assert (row["kind"], row["error_class"], row["hop"], row["ip"]) == ("guard", "address_refused", 1, None)
    assert row["request_url"] == "http://10.1.2.3/admin"
    assert {request.host.split(":")[0] for request in rehearsal.requests()} <= set(WEB.hosts)


def test_user_information_of_a_redirect_is_not_sent(night: Night, rehearsal: Rehearsal) -> None:
    assert night.rows("http://moving.example/with-user")[-1]["request_url"] == "http://moving.example/new-home"
    assert not [request for request in rehearsal.requests() if "authorization" in request.headers]


def test_requests_name_the_software_and_carry_no_state(night: Night, rehearsal: Rehearsal) -> None:
    for request in rehearsal.requests():
        assert request.headers["user-agent"].startswith("Newsledger/")
        assert "(+https://newsledger.example/bot)" in request.headers["user-agent"]
        assert "cookie" not in request.headers


def test_a_void_night_has_no_verdicts(night: Night) -> None:
    swept = dict.fromkeys(REFRESHES.names)
    swept |= {
        "refresh_id": "r1",
        "event": "swept",
        "at": datetime(2026, 3, 1, 3, tzinfo=UTC),
        "night": NIGHT,
        "clock": "given",
        "run_id": "x",
        "version": "0",
        "rehearsal": True,
        "void_reason": "our own network was down",
    }
    assert night.verdicts(pa.Table.from_pylist([swept], schema=REFRESHES)) == {}


def test_the_latest_refresh_of_a_night_that_asked_wins(rehearsal: Rehearsal) -> None:
    """A later sweep that postponed the URL does not hide what the earlier one saw."""
    due = [due_url("http://plain.example/gone"), due_url("http://plain.example/alive")]
    first = sweep_night(due, planned(rehearsal.links(LINKS), "r1"))
    aside = LINKS.model_copy(update={"per_domain": {"plain.example": DomainRule(skip=True)}})
    later = sweep_night(due, planned(rehearsal.links(aside), "r2"))
    assert later.result.postponed == 2
    both = Night(due, [*first.tables, *later.tables], later.result)
    assert both.verdicts()["http://plain.example/gone"]["verdict"] == "gone"
    assert later.verdicts()["http://plain.example/gone"]["verdict"] == "postponed"

"""The whole hostile web is swept as any night is, and each labelled link comes out of the SQL as what it is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from pipeline.links.vocabulary import SIGNALS, VERDICTS, ErrorClass, Kind
from pipeline.model.logs import REFRESHES
from pipeline.rehearsal import Rehearsal, Web, rehearse
from pipeline.settings import DomainRule
from tests.hostile_web import WEB, Case, Confusion, cases
from tests.hostile_web.confusion import DEAD_VERDICTS
from tests.hostile_web.night import LINKS, NIGHT, Night, due_url, planned, sweep_night

CASES = cases()
Row = dict[str, object]


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


@pytest.fixture(scope="module")
def night(rehearsal: Rehearsal) -> Night:
    return sweep_night([due_url(case.url) for case in CASES], planned(rehearsal.links(LINKS)))


@pytest.fixture(scope="module")
def verdicts(night: Night) -> dict[str, Row]:
    """By the URL as the case has it."""
    by_fetch_url = night.verdicts()
    return {case.url: by_fetch_url[due_url(case.url).fetch_url] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case.url for case in CASES])
def test_each_link_is_judged_as_what_it_is(night: Night, verdicts: dict[str, Row], case: Case) -> None:
    judged = verdicts[case.url]
    assert (judged["verdict"], judged["error_class"], judged["signals"]) == (
        case.expect.verdict,
        case.expect.error,
        list(case.expect.signals),
    ), night.story(case.url)


def test_dead_links_are_told_from_the_living_without_a_mistake(verdicts: dict[str, Row]) -> None:
    said = {url: str(row["verdict"]) for url, row in verdicts.items()}
    confusion = Confusion.of(CASES, said, DEAD_VERDICTS)
    print("\n".join(confusion.lines("newsledger")))
    assert confusion.dead >= 60
    assert (confusion.precision, confusion.recall) == (1.0, 1.0)


def test_the_table_has_every_verdict_signal_and_error_class() -> None:
    labels = [case.expect for case in CASES]
    assert {label.verdict for label in labels} == set(VERDICTS)
    assert {signal for label in labels for signal in label.signals} == set(SIGNALS) - {"became_a_shared_page"}
    assert {label.error for label in labels} - {None} == set(ErrorClass)
    judged = set(VERDICTS) - {"malformed", "refused"}
    assert not [case.url for case in CASES if (case.expect.dead is None) == (case.expect.verdict in judged)]


def test_every_due_url_is_accounted_for(night: Night) -> None:
    """URLs due = checked + postponed, and each has a row; what is asked beyond them is not counted."""
    assert night.result.due == len(night.due) == night.result.checked + night.result.postponed
    assert set(night.checks["url_id"].to_pylist()) == {due.url_id for due in night.due}


def test_check_ids_are_unique(night: Night) -> None:
    ids = night.checks["check_id"].to_pylist()
    assert len(ids) == len(set(ids))


def test_a_verdict_names_the_observations_behind_it(night: Night, verdicts: dict[str, Row]) -> None:
    probes = {row["check_id"] for row in night.checks.to_pylist() if row["kind"] == Kind.PROBE}
    for url, verdict in verdicts.items():
        own = {row["check_id"] for row in night.rows(url)} - probes
        named = set(verdict["check_ids"])
        assert own <= named, url
        assert bool(named & probes) == ("same_as_random_path" in verdict["signals"]), url


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("moved", "http://moving.example/new-home"),
        ("moved-308", "http://plain.example/alive"),
        ("moved-twice", "http://moving.example/moved-twice-3"),
        ("mixed", "http://moving.example/mixed-2"),
        ("to-www", "http://www.moving.example/to-www"),
        ("utf8-location", "http://moving.example/stra%C3%9Fe"),
        ("latin1-location", "http://moving.example/caf%C3%A9-noir"),
        ("to-idn", "http://xn--mnchen-3ya.example/hallo"),
        ("found", None),
        ("to-gone", None),
    ],
)
def test_only_leading_permanent_hops_say_where_a_page_moved(
    verdicts: dict[str, Row], path: str, target: str | None
) -> None:
    assert verdicts[f"http://moving.example/{path}"]["moved_permanently_to"] == target


def test_a_title_is_text_with_its_entities_undone(verdicts: dict[str, Row]) -> None:
    assert verdicts["http://plain.example/alive"]["title"] == "Café & news"


@pytest.mark.parametrize(
    ("url", "disagree", "confidence"),
    [
        ("http://plain.example/alive", False, 1.0),
        ("http://flaky.example/second-client", True, 0.8),
        ("http://flaky.example/second-client-gone", True, 0.76),
        ("http://codes.example/404", False, 0.95),
        ("http://codes.example/500", False, 0.9),
        ("http://to-root.example/deep/story", False, 0.6),
        ("http://nowhere.example/news/first-lost-story", False, 0.6),
        ("http://storm-hour.example/second", False, 0.0),
        ("http://nobody.example/b", False, 0.9),
    ],
)
def test_how_sure_a_verdict_is(verdicts: dict[str, Row], url: str, disagree: bool, confidence: float) -> None:
    verdict = verdicts[url]
    assert (verdict["clients_disagree"], verdict["confidence"]) == (disagree, confidence)


def test_no_link_counts_as_dead_on_one_client_s_word(night: Night, verdicts: dict[str, Row]) -> None:
    """But where no client was asked: a name that does not exist, or a host that was settled."""
    alone = []
    for url, verdict in verdicts.items():
        asked = {row["client"] for row in night.rows(url) if row["kind"] == "request" and row["method"]}
        if verdict["verdict"] in DEAD_VERDICTS and asked == {"libcurl"}:
            alone.append((url, str(night.story(url))))
    shared = ("nobody.example", "no-such-name.example", "asleep.example")
    assert [url for url, story in alone if not any(name in story for name in shared)] == []


def test_both_clients_have_the_same_words_for_an_error(night: Night) -> None:
    differing = {}
    for case in CASES:
        last = {row["client"]: row["error_class"] for row in night.rows(case.url) if row["kind"] == "request"}
        if len(set(last.values())) > 1 and case.expect.verdict not in ("alive", "moved", "soft_404"):
            differing[case.url] = last
    told_apart_on_purpose = {"http://flaky.example/second-client-gone"}
    assert set(differing) == told_apart_on_purpose, differing


def test_a_failing_page_is_retried_twice_and_confirmed_once(night: Night) -> None:
    asked = [(row["client"], row["attempt"]) for row in night.rows("http://codes.example/500")]
    assert asked == [("libcurl", 1), ("libcurl", 2), ("libcurl", 3), ("requests", 1)]


def test_a_head_failure_is_asked_again_with_get(night: Night) -> None:
    asked = [(row["client"], row["method"]) for row in night.rows("http://heads.example/head-resets.png")]
    assert asked == [("libcurl", "HEAD"), ("libcurl", "GET")]


def test_a_random_path_is_asked_once_a_host_and_only_where_something_is_odd(night: Night, rehearsal: Rehearsal) -> None:
    """The same path for all of a host's doubts, on no host that gave no reason."""
    probed = {str(row["request_url"]) for row in night.checks.to_pylist() if row["kind"] == "probe" and row["hop"] == 0}
    by_host = Counter(url.split("/")[2] for url in probed)
    assert set(by_host.values()) == {1}
    assert {"nowhere.example", "alone.example", "funnel.example", "printed.example"} <= set(by_host)
    assert not {"codes.example", "heads.example", "flaky.example", "secure.example", "twins.example"} & set(by_host)
    asked = Counter((request.host, request.path) for request in rehearsal.requests())
    for url in probed:
        _, _, host, path = url.split("/")
        assert asked[host, f"/{path}"] == 1


def test_a_refused_redirect_is_a_row_of_ours_and_nothing_is_sent(night: Night, rehearsal: Rehearsal) -> None:
    row = night.rows("http://inward.example/private")[-1]
    assert (row["kind"], row["error_class"], row["hop"], row["ip"]) == ("guard", "address_refused", 1, None)
    assert row["request_url"] == "http://10.1.2.3/admin"
    assert {request.host.split(":")[0] for request in rehearsal.requests()} <= set(WEB.hosts)


def test_user_information_is_never_sent(night: Night, rehearsal: Rehearsal) -> None:
    row = night.rows("http://moving.example/with-user")[-1]
    assert row["request_url"] == "http://moving.example/with-user-left-out"
    assert not [request for request in rehearsal.requests() if "authorization" in request.headers]


def test_requests_name_the_software_and_carry_no_state(night: Night, rehearsal: Rehearsal) -> None:
    for request in rehearsal.requests():
        assert request.headers["user-agent"].startswith("Newsledger/")
        assert "(+https://newsledger.example/bot)" in request.headers["user-agent"]
        assert "cookie" not in request.headers


def test_no_answer_is_read_beyond_the_cap(night: Night) -> None:
    assert max(row["bytes_read"] or 0 for row in night.checks.to_pylist()) <= 65_536


def test_a_void_night_has_no_verdicts(night: Night) -> None:
    swept = dict.fromkeys(REFRESHES.names)
    swept |= {
        "refresh_id": "r1",
        "event": "swept",
        "happened_at": datetime(2026, 3, 1, 3, tzinfo=UTC),
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
    due = [due_url("http://codes.example/404"), due_url("http://plain.example/alive")]
    first = sweep_night(due, planned(rehearsal.links(LINKS), "r1"))
    aside = LINKS.model_copy(update={"per_domain": {"codes.example": DomainRule(skip=True)}})
    later = sweep_night(due, planned(rehearsal.links(aside), "r2"))
    assert later.result.postponed == 1
    both = Night(due, [*first.tables, *later.tables], later.result)
    assert both.verdicts()["http://codes.example/404"]["verdict"] == "gone"
    assert later.verdicts()["http://codes.example/404"]["verdict"] == "postponed"


def test_a_page_that_became_the_same_as_others_is_known_by_its_history() -> None:
    """Three stories of a host that answers 404 to what is not there turn into one page; a fourth always was."""
    gone = {"title": "Closed", "body": "<p>This desk was closed</p>"}
    stories = {f"/{name}": {"sequence": [{}, gone]} for name in ("tide", "wind", "rain")}
    web = Web.model_validate({"hosts": {"desk.example": {"paths": stories | {"/closed": gone}}}})
    due = [due_url(f"http://desk.example{path}") for path in (*stories, "/closed")]
    with rehearse(web) as running:
        plan = planned(running.links(LINKS))
        first = sweep_night(due, plan)
        second = sweep_night(due, replace(plan, night=NIGHT + timedelta(days=1), refresh_id="r2"))
    assert {row["verdict"] for row in first.verdicts().values()} == {"alive"}
    judged = Night(due, [*first.tables, *second.tables], second.result).verdicts()
    assert {url: (row["verdict"], row["signals"]) for url, row in judged.items()} == {
        **{f"http://desk.example{path}": ("soft_404", ["became_a_shared_page"]) for path in stories},
        "http://desk.example/closed": ("alive", []),
    }

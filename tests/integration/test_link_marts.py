"""The marts of links over nights: survival, what cannot be judged, what a night cost, whom it left alone."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.lake.session import Session
from tests.tables import Row, give, hand_made, uid, yielded

FIRST = date(2026, 1, 1)
NIGHT = date(2026, 3, 9)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with hand_made({}, tmp_path_factory.mktemp("marts")) as session:
        yield session


# link_survival

Life = tuple[int, bool]
"""Days from the first good night to the death or the last good night; whether it died."""


def survival(
    session: Session, *lives: Life, domain: str = "a.example", age_days: int | None = 10, more: list[Row] | None = None
) -> list[dict[str, object]]:
    states = [
        {
            "url_id": uid(number),
            "first_alive": FIRST,
            "last_alive": FIRST + timedelta(0 if died else days),
            "first_failed": FIRST + timedelta(days) if died else None,
            "died": FIRST + timedelta(days + 6) if died else None,
        }
        for number, (days, died) in enumerate(lives)
    ]
    published = None if age_days is None else datetime(2026, 1, 1, tzinfo=UTC) - timedelta(age_days)
    give(session, "links.states", [*states, *(more or [])])
    urls = [{"url_id": row["url_id"], "registrable_domain": domain} for row in [*states, *(more or [])]]
    give(session, "coverage.urls", urls)
    give(session, "coverage.mentions", [{"version_id": uid(1), "pointer": "", "published_at": published}])
    give(session, "coverage.stories", [])
    uses = [{"url_id": row["url_id"], "version_id": uid(1), "mention_pointer": ""} for row in states]
    give(session, "coverage.url_uses", uses)
    return yielded(session, "reports.link_survival")


def curve(rows: list[dict[str, object]], grouping: str = "all") -> list[tuple[object, ...]]:
    columns = ("day", "at_risk", "died", "survival")
    return [
        tuple(round(row[name], 4) if name == "survival" else row[name] for name in columns)  # type: ignore[call-overload]
        for row in rows
        if row["grouping"] == grouping
    ]


FREIREICH = [
    *((day, True) for day in (6, 6, 6, 7, 10, 13, 16, 22, 23)),
    *((day, False) for day in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)),
]
"""The 6-MP arm of Freireich et al. 1963: the example of every textbook."""


def test_survival_is_the_textbook_s(session: Session) -> None:
    rows = survival(session, *FREIREICH)
    assert curve(rows) == [
        (0, 21, 0, 1.0),
        (6, 21, 3, 0.8571),
        (7, 17, 1, 0.8067),
        (10, 15, 1, 0.7529),
        (13, 12, 1, 0.6902),
        (16, 11, 1, 0.6275),
        (22, 7, 1, 0.5378),
        (23, 6, 1, 0.4482),
        (35, 1, 0, 0.4482),
    ]
    assert {row["half_life_days"] for row in rows} == {23}
    assert {row["links"] for row in rows} == {21}
    at_23 = next(row for row in rows if row["day"] == 23)
    assert (at_23["survival_low"], at_23["survival_high"]) == (
        pytest.approx(0.188, abs=2e-3),
        pytest.approx(0.680, abs=2e-3),
    )


def test_without_deaths_everything_lives_and_there_is_no_half_life(session: Session) -> None:
    rows = survival(session, (0, False), (7, False), (40, False))
    assert curve(rows) == [(0, 3, 0, 1.0), (40, 1, 0, 1.0)]
    assert {(row["half_life_days"], row["survival_low"], row["survival_high"]) for row in rows} == {(None, None, None)}


def test_where_all_are_dead_nothing_lives(session: Session) -> None:
    rows = survival(session, (3, True), (5, True))
    assert curve(rows) == [(0, 2, 0, 1.0), (3, 2, 1, 0.5), (5, 1, 1, 0.0)]
    assert [row["survival_low"] for row in rows][-1] is None
    assert {row["half_life_days"] for row in rows} == {3}


def test_links_never_seen_alive_and_links_that_came_back_are_no_deaths(session: Session) -> None:
    """A link that is dead since it was first asked has no life to measure."""
    never: Row = {"url_id": uid(98), "died": NIGHT, "first_failed": NIGHT}
    back: Row = {"url_id": uid(99), "first_alive": FIRST, "last_alive": FIRST + timedelta(30), "flaps": 2}
    assert curve(survival(session, (10, True), more=[never, back])) == [
        (0, 2, 0, 1.0),
        (10, 2, 1, 0.5),
        (30, 1, 0, 0.5),
    ]


@pytest.mark.parametrize(
    ("age_days", "age"),
    [(None, "unknown"), (0, "under a month"), (400, "under two years"), (9000, "five years or more")],
)
def test_there_is_a_curve_for_each_outlet_and_each_age(session: Session, age_days: int | None, age: str) -> None:
    rows = survival(session, (4, True), (9, False), domain="b.example", age_days=age_days)
    assert {(row["grouping"], row["name"]) for row in rows} == {("all", "all"), ("outlet", "b.example"), ("age", age)}
    assert curve(rows, "outlet") == curve(rows, "age") == curve(rows)


@examples(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_survival_is_what_a_person_would_count(session: Session, lives: list[Life]) -> None:
    lives = [(max(1, days), True) if died else (days, False) for days, died in lives]
    rows = [row for row in survival(session, *lives) if row["grouping"] == "all"]
    for row in rows:
        share, spread = plain_survival(lives, int(str(row["day"])))
        assert row["survival"] == pytest.approx(share)
        if 0 < share < 1:
            margin = 1.959964 * math.sqrt(spread) / math.log(share)
            assert row["survival_low"] == pytest.approx(share ** math.exp(-margin))
            assert row["survival_high"] == pytest.approx(share ** math.exp(margin))
    halved = [day for day in range(14) if plain_survival(lives, day)[0] <= 0.5]
    assert {row["half_life_days"] for row in rows} == {halved[0] if halved else None}


def plain_survival(lives: list[Life], until: int) -> tuple[float, float]:
    """The estimate and Greenwood's sum, day by day as the definition has it."""
    share, spread = 1.0, 0.0
    for day in range(until + 1):
        at_risk = sum(days >= day for days, _ in lives)
        deaths = sum(died and days == day for days, died in lives)
        if deaths:
            share *= 1 - deaths / at_risk
            spread += deaths / (at_risk * (at_risk - deaths)) if at_risk > deaths else math.inf
    return share, spread


# links_unjudged


def test_each_link_that_nobody_can_judge_says_why(session: Session) -> None:
    last: list[tuple[str | None, str | None, Row]] = [
        ("blocked", "blocked", {"http_status": 403, "challenge": "cloudflare"}),
        ("insecure", "insecure", {"error_class": "tls_expired", "error_detail": "certificate has expired"}),
        (None, "refused", {"kind": "guard", "error_class": "address_refused", "error_detail": "10.0.0.1 is private"}),
        (None, "postponed", {"kind": "postponed", "error_detail": "the night's minutes ran out"}),
        (None, "malformed", {"kind": "guard", "error_class": "url_invalid"}),
        (None, None, {}),
        ("alive", "alive", {}),
        ("moved", "postponed", {}),
        ("gone", "gone", {}),
    ]
    give(session, "this.refresh", [{"night": NIGHT}])
    give(session, "coverage.urls", [
        {"url_id": uid(number), "registrable_domain": "a.example", "problem": "backslash" if number == 4 else None}
        for number in range(len(last))
    ])  # fmt: skip
    give(session, "links.states", [
        {"url_id": uid(number), "last_verdict": verdict, "last_night": verdict and NIGHT}
        for number, (verdict, _, _) in enumerate(last)
    ])  # fmt: skip
    give(session, "links.verdicts", [
        {"url_id": uid(number), "night": NIGHT, "verdict": verdict}
        for number, (_, verdict, _) in enumerate(last) if verdict
    ])  # fmt: skip
    give(session, "links.checks", [
        {"url_id": uid(number), "check_id": uid(number), "night": NIGHT, "kind": "request", **row}
        for number, (*_, row) in enumerate(last) if row
    ])  # fmt: skip
    give(session, "coverage.url_uses", [
        {"url_id": uid(number), "source": "s", "path": path} for number in range(len(last)) for path in ("b.md", "a.md")
    ])  # fmt: skip
    rows = yielded(session, "reports.links_unjudged")
    assert [(row["why"], row["cause"], row["http_status"], row["detail"]) for row in rows] == [
        ("blocked", "cloudflare", 403, None),
        ("insecure", "tls_expired", None, "certificate has expired"),
        ("refused", "address_refused", None, "10.0.0.1 is private"),
        ("postponed", None, None, "the night's minutes ran out"),
        ("malformed", "backslash", None, None),
        ("never_asked", None, None, None),
    ]
    assert {(row["places"], row["path"]) for row in rows} == {(2, "a.md")}
    assert [row["night"] for row in rows] == [NIGHT] * 5 + [None]


# nights


def request(seconds: float, url: str = "https://a.example/", **more: object) -> Row:
    at = datetime(2026, 3, 9, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    return {
        "night": NIGHT, "refresh_id": "r1", "kind": "request", "client": "libcurl", "method": "GET", "attempt": 1,
        "request_url": url, "started_at": at, "bytes_read": 100, "total_ms": 250.0,
    } | more  # fmt: skip


def nights(session: Session, *checks: Row, swept: list[Row] | None = None) -> list[dict[str, object]]:
    sweep = {
        "event": "swept",
        "night": NIGHT,
        "refresh_id": "r1",
        "urls_due": 5,
        "urls_checked": 3,
        "urls_postponed": 2,
    }
    rows = [{"check_id": uid(number), "url_id": uid(number)} | row for number, row in enumerate(checks)]
    give(session, "this.refresh", [{"night": NIGHT}])
    give(session, "links.checks", rows)
    give(session, "log.refreshes", swept or [sweep | {"pace_seconds": 1.0}, {"event": "read", "night": NIGHT}])
    give(session, "coverage.urls", [
        {"url_id": uid(number), "host": host, "registrable_domain": "a.example"}
        for number, host in enumerate(("a.example", "www.a.example"))
    ])  # fmt: skip
    return yielded(session, "reports.nights")


def test_a_night_tells_what_it_asked_and_what_that_cost(session: Session) -> None:
    [row] = nights(
        session,
        request(0),
        request(1.2, attempt=2),
        request(2.3, "https://www.a.example/x", client="requests"),
        request(0.5, "http://[2001:db8::1]:8080/x", kind="probe", bytes_read=None),
        request(9.0, "https://archive.example/?url=x", kind="archive", client="requests", total_ms=1000.0),
        request(3.0, method=None, kind="shared", client=None, bytes_read=None),
        request(4.0, method=None, kind="postponed", client=None, error_detail="the night's minutes ran out"),
    )
    assert row == {
        "night": NIGHT, "sweeps": 1, "void_reason": None, "urls_due": 5, "urls_checked": 3, "urls_postponed": 2,
        "postponed": [{"reason": "minutes", "urls": 1}, {"reason": "over_budget", "urls": 1}],
        "requests": 5, "second_opinions": 1, "probes": 1, "archive_requests": 1, "repeated": 1,
        "hosts": 4, "domains": 3, "bytes_read": 400, "seconds": pytest.approx(10.0), "pace_seconds": 1.0,
        "least_gap_seconds": pytest.approx(1.1), "least_gap_domain": "a.example", "domains_closer": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("gap", "closer"), [(1.0, 0), (0.9995, 0), (0.99, 1), (0.2, 1)])
def test_a_domain_asked_at_a_smaller_gap_than_the_pace_is_counted(session: Session, gap: float, closer: int) -> None:
    """Over all its hosts; between the web archive and the sweep no gap is meant."""
    [row] = nights(session, request(0), request(gap, "https://www.a.example/"), request(gap + 5, kind="archive"))
    assert (row["least_gap_seconds"], row["domains_closer"]) == (pytest.approx(gap), closer)


def test_several_sweeps_of_a_night_are_one_row_and_the_time_between_them_is_not_counted(session: Session) -> None:
    swept = [
        {"event": "swept", "night": NIGHT, "refresh_id": name, "urls_due": 1, "urls_checked": 1, "urls_postponed": 0}
        for name in ("r1", "r2")
    ]
    [row] = nights(session, request(0), request(3600, refresh_id="r2"), swept=swept)
    assert (row["sweeps"], row["urls_due"], row["seconds"], row["pace_seconds"]) == (2, 2, pytest.approx(0.5), None)
    assert row["postponed"] == []


def test_a_night_without_a_request_is_told_while_it_is_tonight(session: Session) -> None:
    old: Row = {"event": "swept", "night": NIGHT - timedelta(400), "refresh_id": "r0"}
    void: Row = {"event": "swept", "night": NIGHT, "refresh_id": "r1", "void_reason": "the controls failed"}
    [row] = nights(session, swept=[old, void])
    assert (row["night"], row["void_reason"], row["requests"], row["seconds"]) == (NIGHT, "the controls failed", 0, 0.0)


# hosts_set_aside


def test_each_host_that_was_left_alone_says_why(session: Session) -> None:
    put_off = {"kind": "postponed", "method": None, "client": None}
    rows: list[Row] = [
        request(0, "https://a.example/1", **put_off, error_detail="Retry-After of 3600 s"),
        request(1, "https://a.example/2", **put_off, error_detail="Retry-After of 3600 s"),
        request(2, "https://b.example/", **put_off, error_class="dns_servfail", error_detail="SERVFAIL"),
        request(3, "https://c.example/", **put_off, error_detail="links.per_domain skips this domain"),
        request(4, "https://d.example/", **put_off, error_detail="the night's minutes ran out"),
        request(5, "http://e.example:81/1", method=None, error_class="dns_nxdomain", error_detail="no such name"),
        request(6, "http://e.example:81/2", kind="shared", method=None, error_class="dns_nxdomain"),
        request(
            7, "http://f.example/", kind="shared", method=None, error_class="read_timeout", error_detail="5 in a row"
        ),
        request(8, "http://g.example/"),
        request(9, "http://h.example/", kind="guard", method=None, error_class="address_refused"),
    ]
    nights(session, *rows)
    told = yielded(session, "reports.hosts_set_aside")
    assert [(row["host"], row["reason"], row["detail"], row["urls"], row["domain"]) for row in told] == [
        ("a.example", "retry_after", "Retry-After of 3600 s", 2, "a.example"),
        ("b.example", "dns_servfail", "SERVFAIL", 1, None),
        ("c.example", "skipped", "links.per_domain skips this domain", 1, None),
        ("e.example", "no_such_name", "no such name", 2, None),
        ("f.example", "timeouts", "5 in a row", 1, None),
    ]

"""The states of links over nights, and what is due: the SQL alone, over verdicts written by the test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.lake.relations import relation
from pipeline.lake.session import Session
from pipeline.model.ids import content_id
from tests.judging import fold
from tests.tables import give, hand_made, uid, yielded

FIRST = date(2026, 3, 1)
Nights = Sequence[tuple[int, str]]
"""What was judged of one link: the number of the night, the verdict."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with hand_made({}, tmp_path_factory.mktemp("states")) as session:
        yield session


def states(session: Session, *links: Nights) -> list[dict[str, object]]:
    """The state of each link after its nights."""
    give(session, "coverage.urls", [{"url_id": uid(number)} for number in range(len(links))])
    # Latest first: history is told by the night, never by the order of rows.
    verdicts = [
        {"url_id": uid(number), "night": FIRST + timedelta(night), "verdict": verdict}
        for number, nights in enumerate(links)
        for night, verdict in reversed(nights)
    ]
    give(session, "links.verdicts", verdicts)
    fold(session, (FIRST + timedelta(night) for nights in links for night, _ in nights))
    give(session, "links.remedies", [])
    return yielded(session, "links.states")


def state(session: Session, *nights: tuple[int, str]) -> tuple[object, object]:
    """State and strikes of one link."""
    (row,) = states(session, nights)
    return row["state"], row["strikes"]


def test_a_link_never_judged_is_unknown(session: Session) -> None:
    (row,) = states(session, [])
    assert row == {
        "url_id": uid(0),
        "state": "unknown",
        "strikes": 0,
        "last_strike": None,
        "last_verdict": None,
        "last_night": None,
        "first_alive": None,
        "last_alive": None,
        "first_failed": None,
        "died": None,
        "death": None,
        "revived": None,
        "flaps": 0,
        "nights_judged": 0,
        "good_nights": 0,
        "last_asked": None,
        "remedy": None,
    }


@pytest.mark.parametrize("verdict", ["gone", "soft_404", "unreachable", "server_error"])
def test_three_strikes_three_nights_apart_are_death(session: Session, verdict: str) -> None:
    assert state(session, (0, verdict)) == ("failing", 1)
    assert state(session, (0, verdict), (3, verdict)) == ("failing", 2)
    assert state(session, (0, verdict), (3, verdict), (6, verdict)) == ("dead", 3)


@pytest.mark.parametrize("verdict", ["alive", "moved"])
def test_a_link_that_answers_is_alive(session: Session, verdict: str) -> None:
    assert state(session, (0, verdict)) == ("alive", 0)


def test_a_failure_too_early_changes_nothing(session: Session) -> None:
    """Three nights count from the last strike, not from the last failure."""
    every_night = [(night, "gone") for night in range(7)]
    assert [state(session, *every_night[: count + 1]) for count in range(7)] == [
        *[("failing", 1)] * 3,
        *[("failing", 2)] * 3,
        ("dead", 3),
    ]


def test_one_good_night_revives_and_the_flap_is_counted(session: Session) -> None:
    dying = [(0, "gone"), (3, "gone"), (6, "gone")]
    assert state(session, *dying, (7, "alive")) == ("alive", 0)
    assert state(session, *dying, (7, "alive"), (8, "gone")) == ("failing", 1), "and the count begins anew at once"
    rows = states(session, [*dying, (7, "moved"), (8, "alive")], [(0, "gone"), (1, "alive"), (2, "gone"), (3, "alive")])
    assert [row["flaps"] for row in rows] == [1, 2]


@pytest.mark.parametrize("verdict", ["blocked", "insecure"])
def test_blocked_and_insecure_keep_the_strikes_and_never_become_dead(session: Session, verdict: str) -> None:
    assert state(session, *[(night, verdict) for night in range(0, 60, 3)]) == (verdict, 0)
    assert state(session, (0, "gone"), (3, "gone"), (6, verdict)) == (verdict, 2)
    assert state(session, (0, "gone"), (3, "gone"), (6, verdict), (7, "gone")) == ("dead", 3), "the count goes on"
    assert state(session, (0, "gone"), (1, verdict), (2, "gone")) == (verdict, 1), "a failure too early"
    assert state(session, (0, verdict), (3, "alive")) == ("alive", 0)
    assert [row["flaps"] for row in states(session, [(0, verdict), (3, "alive")])] == [0], "nothing had failed"


@pytest.mark.parametrize("verdict", ["postponed", "refused", "malformed"])
def test_what_was_not_judged_changes_nothing(session: Session, verdict: str) -> None:
    assert state(session, (0, verdict)) == ("unknown", 0)
    judged: Nights = [(0, "alive"), (5, "gone")]
    (before,), (after,) = states(session, judged), states(session, [*judged, (9, verdict)])
    assert after == before | {"last_asked": FIRST + timedelta(5 if verdict == "postponed" else 9)}


def test_the_dead_stay_dead_until_they_answer(session: Session) -> None:
    nights = [(night, "gone") for night in range(0, 40, 4)]
    assert state(session, *nights) == ("dead", 10)
    assert state(session, *nights, (37, "server_error")) == ("dead", 10)
    assert state(session, *nights, (40, "alive")) == ("alive", 0)


def test_the_nights_that_matter_are_kept(session: Session) -> None:
    nights = [(0, "alive"), (2, "alive"), (9, "gone"), (10, "gone"), (12, "soft_404"), (13, "refused"), (14, "blocked")]
    (row,) = states(session, nights)
    assert {name: row[name] for name in ("first_alive", "last_alive", "first_failed", "last_night")} == {
        "first_alive": FIRST,
        "last_alive": FIRST + timedelta(2),
        "first_failed": FIRST + timedelta(9),
        "last_night": FIRST + timedelta(14),
    }
    assert (row["last_verdict"], row["nights_judged"]) == ("blocked", 6)
    (row,) = states(session, [*nights, (15, "alive")])
    assert (row["first_alive"], row["first_failed"]) == (FIRST, None)
    assert (row["revived"], row["good_nights"]) == (FIRST + timedelta(15), 1)


def test_a_death_has_its_night_and_a_revival_ends_it(session: Session) -> None:
    dying: Nights = [(0, "alive"), (1, "gone"), (4, "gone"), (8, "gone")]
    rows = states(session, dying, [*dying, (9, "blocked")], [*dying, (10, "gone")], [*dying, (11, "alive")])
    assert [(row["state"], row["died"], row["revived"]) for row in rows] == [
        ("dead", FIRST + timedelta(8), None),
        ("blocked", FIRST + timedelta(8), None),
        ("dead", FIRST + timedelta(8), None),
        ("alive", None, FIRST + timedelta(11)),
    ]


@pytest.mark.parametrize(
    ("domain", "deaths"),
    [
        ([["gone"] * 3, ["alive"]], ["page", None]),
        ([["gone"] * 3, ["gone"] * 3, []], ["domain", "domain", None]),
        ([["gone"] * 3, ["gone"] * 2], ["page", None]),
        ([["gone"] * 3, ["blocked"]], ["page", None]),
        ([["gone"] * 3], ["page"]),
        ([["unreachable"] * 3], ["domain"]),
    ],
)
def test_a_whole_domain_is_dead_where_none_of_its_links_lives(
    session: Session, domain: list[list[str]], deaths: list[str | None]
) -> None:
    links = [[(3 * number, verdict) for number, verdict in enumerate(nights)] for nights in domain]
    assert [row["death"] for row in states(session, *links)] == deaths


def test_good_nights_count_from_the_last_that_was_not(session: Session) -> None:
    nights: Nights = [(0, "alive"), (1, "moved"), (2, "refused"), (3, "alive")]
    rows = states(session, nights, [*nights, (4, "blocked")], [*nights, (4, "gone"), (5, "alive")])
    assert [row["good_nights"] for row in rows] == [3, 0, 1]


def test_the_night_of_the_third_strike_is_kept_until_the_link_answers(session: Session) -> None:
    """Not moved by further strikes, nor by what is no judgement of life or death."""
    dying: Nights = [(0, "gone"), (3, "gone"), (4, "gone"), (7, "gone")]

    def died(*nights: tuple[int, str]) -> object:
        return states(session, nights)[0]["died"]

    assert died(*dying[:3]) is None
    assert died(*dying) == FIRST + timedelta(7)
    assert died(*dying, (9, "gone"), (20, "gone"), (30, "blocked")) == FIRST + timedelta(7)
    assert died(*dying, (8, "alive")) is None
    assert died((0, "gone"), (3, "gone"), (4, "blocked"), (6, "gone")) == FIRST + timedelta(6)


VERDICTS = (
    *("alive", "moved", "gone", "soft_404", "unreachable", "server_error"),
    *("blocked", "insecure", "postponed", "refused", "malformed"),
)
HISTORIES = st.lists(
    st.dictionaries(st.integers(0, 20), st.sampled_from(VERDICTS), max_size=15).map(
        lambda nights: sorted(nights.items())
    ),
    min_size=1,
    max_size=40,
)


@examples(HISTORIES)
@settings(max_examples=15, deadline=None)
def test_any_history_is_judged_as_plain_python_judges_it(links: list[Nights]) -> None:
    with TemporaryDirectory() as scratch, hand_made({}, Path(scratch)) as session:
        rows = states(session, *links)
    found = [(row["state"], row["strikes"], row["flaps"], row["first_failed"], row["last_alive"]) for row in rows]
    assert found == [plain_state(nights) for nights in links]


def plain_state(nights: Nights) -> tuple[str, int, int, date | None, date | None]:
    """The rule as a person would write it down."""
    state, strikes, flaps = "unknown", 0, 0
    last_strike = first_failed = last_alive = None
    for night, verdict in nights:
        if verdict in ("alive", "moved"):
            flaps += strikes > 0
            state, strikes, last_strike, first_failed, last_alive = "alive", 0, None, None, night
        elif verdict in ("blocked", "insecure"):
            state = verdict
        elif verdict in ("postponed", "refused", "malformed"):
            continue
        elif last_strike is None or night - last_strike >= 3:
            strikes, last_strike = strikes + 1, night
            first_failed = night if first_failed is None else first_failed
            state = "dead" if strikes >= 3 else "failing"
    failed, alive = (None if night is None else FIRST + timedelta(night) for night in (first_failed, last_alive))
    return state, strikes, flaps, failed, alive


# What is due

TONIGHT = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the SQL of what is due sees it: last asked so many nights ago, None for never."""

    state: str = "unknown"
    asked: int | None = None
    strikes: int = 0
    good_nights: int = 0


def due(session: Session, *links: Link) -> list[tuple[int, object]]:
    """The links to ask tonight, by their place in `links`, first things first."""
    ids = [uid(number << 24) for number in range(len(links))]
    return [(ids.index(str(url_id)), reason) for url_id, reason in _due(session, dict(zip(ids, links, strict=True)))]


def _due(session: Session, links: dict[str, Link]) -> list[tuple[object, object]]:
    night = FIRST + timedelta(TONIGHT)
    give(session, "this.refresh", [{"night": night}])
    give(session, "coverage.urls", [{"url_id": url_id} for url_id in links])
    give(
        session,
        "links.states",
        [
            {
                "url_id": url_id,
                "state": link.state,
                "strikes": link.strikes,
                "good_nights": link.good_nights,
                "last_asked": None if link.asked is None else night - timedelta(link.asked),
            }
            for url_id, link in links.items()
        ],
    )
    rows = yielded(session, "links.due")
    return [(row["url_id"], row["reason"]) for row in sorted(rows, key=lambda row: str(row["priority"]).zfill(9))]


def test_never_asked_comes_first_then_failing_then_the_longest_overdue(session: Session) -> None:
    assert due(
        session,
        Link("alive", 11),
        Link("alive", 20),
        Link("failing", 3),
        Link("failing", 9),
        Link(),
    ) == [(4, "never_asked"), (3, "failing"), (2, "failing"), (1, "due_again"), (0, "due_again")]


def test_what_was_settled_tonight_is_not_asked_again_tonight(session: Session) -> None:
    assert due(session, *[Link(state, 0) for state in ("alive", "failing", "dead", "unknown", "blocked")]) == []


@pytest.mark.parametrize(
    ("link", "nights"),
    [
        (Link("alive", good_nights=1), 7),
        (Link("alive", good_nights=2), 14),
        (Link("alive", good_nights=3), 28),
        (Link("alive", good_nights=50), 28),
        (Link("dead", strikes=3), 7),
        (Link("dead", strikes=4), 14),
        (Link("dead", strikes=6), 56),
        (Link("dead", strikes=7), 90),
        (Link("dead", strikes=99), 90),
        (Link("blocked"), 7),
        (Link("insecure"), 7),
        (Link("unknown"), 7),
    ],
)
def test_the_interval_grows_with_the_record(session: Session, link: Link, nights: int) -> None:
    """Links of one record wait from half the interval to one and a half, so that each has a night of its own in it."""
    ids = [content_id("url", str(number)) for number in range(600)]
    earliest = (nights + 1) // 2
    for age, share in ((earliest - 1, 0.0), (earliest + nights - 1, 1.0), (earliest + nights // 2 - 1, 0.5)):
        found = _due(session, {url_id: replace(link, asked=age) for url_id in ids})
        assert len(found) / len(ids) == pytest.approx(share, abs=0 if share in (0, 1) else 0.12), age


def test_a_failing_link_is_due_when_its_next_strike_would_count(session: Session) -> None:
    ids = [content_id("url", str(number)) for number in range(20)]
    for age, count in ((2, 0), (3, 20)):
        assert len(_due(session, {url_id: Link("failing", age, strikes=2) for url_id in ids})) == count


def test_a_link_keeps_its_place_among_the_nights(session: Session) -> None:
    """Asked on the night it is due, it is due again a whole interval later."""
    url_id = content_id("url", "https://a.example/")
    give(session, "coverage.urls", [{"url_id": url_id}])
    asked, last = [], FIRST
    for night in range(1, 150):
        give(session, "this.refresh", [{"night": FIRST + timedelta(night)}])
        give(session, "links.states", [{"url_id": url_id, "state": "alive", "good_nights": 9, "last_asked": last}])
        if yielded(session, "links.due"):
            last = FIRST + timedelta(night)
            asked.append(night)
    assert {later - earlier for earlier, later in pairwise(asked)} == {28}


def test_a_link_that_came_back_is_asked_as_often_as_a_new_one(session: Session) -> None:
    """After many good nights the count begins again with the first one after a failure."""
    nights: Nights = [(night, "alive") for night in range(9)]
    (steady, revived) = states(session, nights, [*nights, (9, "gone"), (10, "alive")])
    assert (steady["good_nights"], revived["good_nights"]) == (9, 1)


@pytest.mark.parametrize(("good_nights", "interval", "links"), [(1, 7, 1_000_000), (9, 28, 200_000)])
def test_a_million_links_asked_on_one_night_come_back_evenly(
    session: Session, good_nights: int, interval: int, links: int
) -> None:
    """Each night of the interval has its share of them, at the shortest interval too."""
    session.run(
        "create or replace table coverage.urls as select md5(range::varchar)::uuid as url_id, '' as fetch_url,"
        " '' as registrable_domain, 'page' as asked_as, null as problem from range(?)",
        [links],
    )
    session.run(
        f"create or replace table links.states as select url_id, date '{FIRST}' as last_asked, 'alive' as state,"
        f" 0 as strikes, {good_nights} as good_nights from coverage.urls"
    )
    earliest = (interval + 1) // 2
    asked = [0]
    for night in range(earliest, earliest + interval):
        give(session, "this.refresh", [{"night": FIRST + timedelta(night)}])
        asked.append(session.value(f"select count(*) from ({relation('links.due').sql})"))
    shares = [tonight - before for before, tonight in pairwise(asked)]
    assert sum(shares) == links
    assert max(shares) < 1.05 * links / interval
    assert min(shares) > 0.95 * links / interval


def test_nights_stay_even_as_intervals_grow(session: Session) -> None:
    """Ten weeks in which every link is asked when it is due, all of them first on one night."""
    links = 20_000
    session.run(
        "create or replace table coverage.urls as select md5(range::varchar)::uuid as url_id, '' as fetch_url,"
        f" '' as registrable_domain, 'page' as asked_as, null as problem from range({links})"
    )
    session.run(
        "create or replace table links.states as select url_id, 'alive' as state, 0 as strikes, 1 as good_nights,"
        f" date '{FIRST}' as last_asked from coverage.urls"
    )
    asked = []
    for night in range(1, 90):
        give(session, "this.refresh", [{"night": FIRST + timedelta(night)}])
        session.make(relation("links.due"))
        asked.append(int(str(session.value("select count(*) from links.due"))))
        session.run(
            "update links.states set last_asked = (select night from this.refresh), good_nights = good_nights + 1"
            " where url_id in (select url_id from links.due)"
        )
    assert max(asked) < 1.1 * links / 7
    settled = asked[-28:]
    assert sum(settled) == links, "once in 28 nights"
    assert max(settled) < 1.15 * links / 28
    assert min(settled) > 0.85 * links / 28


@pytest.mark.parametrize(
    ("nights", "died"),
    [
        ([(0, "gone"), (3, "gone")], None),
        ([(0, "gone"), (3, "gone"), (5, "gone")], None),
        ([(0, "gone"), (3, "gone"), (5, "gone"), (6, "gone"), (7, "gone"), (30, "gone")], 6),
        ([(0, "gone"), (3, "gone"), (6, "gone"), (8, "blocked")], 6),
        ([(0, "gone"), (3, "gone"), (6, "gone"), (8, "alive")], None),
        ([(0, "gone"), (3, "gone"), (6, "gone"), (8, "alive"), (9, "gone"), (12, "gone"), (15, "gone")], 15),
    ],
)
def test_a_link_died_its_third_strike(session: Session, nights: Nights, died: int | None) -> None:
    (row,) = states(session, nights)
    assert row["died"] == (None if died is None else FIRST + timedelta(died))

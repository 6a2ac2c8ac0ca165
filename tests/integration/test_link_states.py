"""The states of links over nights, and what is due: the SQL alone, over verdicts written by the test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.lake.session import Session
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
        "last_verdict": None,
        "last_night": None,
        "first_alive": None,
        "last_alive": None,
        "first_failed": None,
        "died": None,
        "flaps": 0,
        "nights_judged": 0,
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
    assert states(session, [*judged, (9, verdict)]) == states(session, judged)


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
    st.dictionaries(st.integers(0, 40), st.sampled_from(VERDICTS), max_size=20).map(
        lambda nights: sorted(nights.items())
    ),
    min_size=1,
    max_size=20,
)


@examples(HISTORIES)
@settings(max_examples=60, deadline=None)
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
    verdict: str = "alive"
    strikes: int = 0
    nights_judged: int = 1


def due(session: Session, *links: Link) -> list[tuple[int, object]]:
    """The links to ask tonight, by their place in `links` (an even id, so without jitter), first things first."""
    ids = [uid(number << 8) for number in range(len(links))]
    return [(ids.index(str(url_id)), reason) for url_id, reason in _due(session, dict(zip(ids, links, strict=True)))]


def _due(session: Session, links: dict[str, Link]) -> list[tuple[object, object]]:
    night = FIRST + timedelta(TONIGHT)
    give(session, "this.refresh", [{"night": night}])
    give(session, "coverage.urls", [{"url_id": url_id} for url_id in links])
    give(
        session,
        "links.states",
        [
            {"url_id": url_id, "state": link.state, "strikes": link.strikes, "nights_judged": link.nights_judged}
            for url_id, link in links.items()
        ],
    )
    give(
        session,
        "links.verdicts",
        [
            {"url_id": url_id, "night": night - timedelta(link.asked), "verdict": link.verdict}
            for url_id, link in links.items()
            if link.asked is not None
        ],
    )
    rows = yielded(session, "links.due")
    return [(row["url_id"], row["reason"]) for row in sorted(rows, key=lambda row: str(row["priority"]).zfill(9))]


def first_due(session: Session, link: Link, spread: int = 0) -> int:
    """How many nights after it was asked the link is due again; `spread` is the last byte of its id."""
    waits = {uid(nights << 8 | spread): nights for nights in range(200)}
    asked = {url_id: replace(link, asked=nights) for url_id, nights in waits.items()}
    due_again = sorted(waits[str(url_id)] for url_id, _ in _due(session, asked))
    assert due_again == list(range(due_again[0], 200)), "and stays due until it is asked"
    return due_again[0]


def test_never_asked_comes_first_then_failing_then_the_longest_overdue(session: Session) -> None:
    assert due(
        session,
        Link("alive", 8),
        Link("alive", 20),
        Link("failing", 3, "gone"),
        Link("failing", 9, "gone"),
        Link(),
    ) == [(4, "never_asked"), (3, "failing"), (2, "failing"), (1, "due_again"), (0, "due_again")]


def test_a_link_that_was_only_postponed_was_never_asked(session: Session) -> None:
    assert due(session, Link(asked=1, verdict="postponed")) == [(0, "never_asked")]
    assert due(session, Link(asked=0, verdict="postponed")) == [(0, "never_asked")], "also later in the same night"


@pytest.mark.parametrize("verdict", ["alive", "gone", "blocked", "insecure", "refused", "malformed"])
def test_what_was_settled_tonight_is_not_asked_again_tonight(session: Session, verdict: str) -> None:
    assert [due(session, Link(state, 0, verdict)) for state in ("alive", "failing", "dead", "unknown")] == [[]] * 4


@pytest.mark.parametrize(
    ("link", "nights"),
    [
        (Link("alive", nights_judged=1), 7),
        (Link("alive", nights_judged=2), 14),
        (Link("alive", nights_judged=3), 28),
        (Link("alive", nights_judged=50), 28),
        (Link("failing", strikes=1, verdict="gone"), 3),
        (Link("failing", strikes=2, verdict="gone", nights_judged=30), 3),
        (Link("dead", strikes=3, verdict="gone"), 7),
        (Link("dead", strikes=4, verdict="gone"), 14),
        (Link("dead", strikes=6, verdict="gone"), 56),
        (Link("dead", strikes=7, verdict="gone"), 90),
        (Link("dead", strikes=99, verdict="gone"), 90),
        (Link("blocked", verdict="blocked"), 7),
        (Link("insecure", verdict="insecure"), 7),
        (Link("unknown", verdict="refused"), 7),
    ],
)
def test_the_interval_grows_with_the_record(session: Session, link: Link, nights: int) -> None:
    assert first_due(session, link) == nights


def test_a_url_that_cannot_be_asked_is_not_settled_anew_every_night(session: Session) -> None:
    assert first_due(session, Link("unknown", verdict="malformed", nights_judged=0)) == 7


def test_nights_are_made_even_by_the_id_alone(session: Session) -> None:
    """The same link waits as long in every run; others of the same record wait up to a quarter of a week longer."""
    stable = Link("alive", nights_judged=9)
    waits = [first_due(session, stable, number) for number in range(8)]
    assert waits == [28, 29, 30, 31, 28, 29, 30, 31]
    assert waits == [first_due(session, stable, number) for number in range(8)]


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

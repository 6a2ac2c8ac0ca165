"""Sixty nights over 500 labelled links: what is due, what is said and what is known each night is as a person who knows
the truth would have it, by rules written a second time in plain Python."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.assets.links import due_tonight
from pipeline.lake import relations as sql
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.snapshots import Snapshots
from scripts.document import nights_chart
from tests.conftest import ROOT
from tests.scripted_web import (
    DEADLY,
    FIRST,
    NIGHTS,
    VERDICTS,
    VOID,
    Link,
    Night,
    links,
    run,
    scratch_lake,
    settings_of,
    states,
)

GOOD, BROKEN = {"alive", "moved"}, {"gone", "soft_404", "server_error", "unreachable"}
WEB = links()
pytestmark = pytest.mark.timeout(900)


@dataclass(slots=True)
class Known:
    """What is known of a link, by the rules of docs/links.md."""

    gap: int = 3
    state: str = "unknown"
    strikes: int = 0
    last_strike: int | None = None
    last_asked: int | None = None
    died: int | None = None
    revived: int | None = None
    good_nights: int = 0
    flaps: int = 0
    deaths: list[int] = field(default_factory=list)

    def hear(self, night: int, verdict: str) -> None:
        if verdict == "postponed":
            return
        self.last_asked = night
        self.good_nights = self.good_nights + 1 if verdict in GOOD else 0
        if verdict in GOOD:
            if self.strikes:
                self.flaps, self.revived = self.flaps + 1, night
            self.state, self.strikes, self.last_strike, self.died = "alive", 0, None, None
        elif verdict not in BROKEN:
            self.state = verdict
        elif self.last_strike is None or night - self.last_strike >= self.gap:
            self.strikes, self.last_strike = self.strikes + 1, night
            self.state = "dead" if self.strikes >= 3 else "failing"
            if self.strikes == 3:
                self.died = night
                self.deaths.append(night)

    def is_due(self, url_id: str, night: int) -> bool:
        if self.last_asked is None:
            return True
        if self.state == "failing":
            return night - self.last_asked >= 3
        interval = 7
        if self.state == "alive":
            interval = 7 * 2 ** min(2, max(0, self.good_nights - 1))
        elif self.state == "dead":
            interval = min(90, 7 * 2 ** min(4, self.strikes - 3))
        day = (FIRST - date(2000, 1, 1)).days + self.last_asked + (interval + 1) // 2
        while (day - int(url_id[-6:], 16)) % interval:
            day += 1
        return (FIRST - date(2000, 1, 1)).days + night >= day

    def told(self) -> dict[str, object]:
        return {
            "state": self.state,
            "strikes": self.strikes,
            "last_strike": _date(self.last_strike),
            "last_asked": _date(self.last_asked),
            "died": _date(self.died),
            "revived": _date(self.revived),
            "good_nights": self.good_nights,
            "flaps": self.flaps,
        }


def _date(night: int | None) -> date | None:
    return None if night is None else FIRST + timedelta(night)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nights")


@pytest.fixture(scope="module")
def nights(folder: Path) -> list[Night]:
    return list(run(folder, WEB))


def test_every_link_is_due_and_known_each_night_as_labelled(nights: list[Night]) -> None:
    """The labels are those of the web's own table; nothing of the product decides them."""
    assert len(nights) == NIGHTS >= 60
    known = {link.url_id: Known() for link in WEB}
    by_id = {link.url_id: link for link in WEB}
    for number, night in enumerate(nights):
        due = {url_id for url_id, link in known.items() if link.is_due(url_id, number)}
        assert set(night.due) == due, number
        assert (night.void_reason is not None) is (number in VOID), number
        for url_id in due if number not in VOID else ():
            known[url_id].hear(number, VERDICTS[by_id[url_id].truth(number)])
        for url_id, link in known.items():
            found, told = night.states[url_id], link.told()
            assert {name: found[name] for name in told} == told, (number, by_id[url_id])


def test_no_link_is_called_dead_that_is_not(nights: list[Night]) -> None:
    for link in WEB:
        for number, before, after in _turns(nights, link):
            if after == "dead" and before != "dead":
                truths = [link.truth(night) for night in range(number - 6, number + 1)]
                assert set(truths) <= DEADLY, f"{link} was called dead on night {number}"


def test_every_real_death_is_declared_at_the_third_strike(nights: list[Night]) -> None:
    """A link that stays dead is asked until it is called dead, and three questions are enough."""
    declared = Counter[str]()
    for link in WEB:
        died = next((night for night in range(NIGHTS) if link.truth(night) in DEADLY), None)
        if died is None or link.script == "flapping":
            continue
        asked = [
            night
            for night in range(died, NIGHTS)
            if link.url_id in nights[night].due and night not in VOID and link.truth(night) in DEADLY
        ]
        if len(asked) < 3:
            continue
        assert nights[asked[2]].states[link.url_id]["state"] == "dead", link
        assert nights[asked[1]].states[link.url_id]["state"] == "failing", link
        declared[link.script] += 1
    assert declared.keys() == {"gone", "server_error", "vanished", "refused", "to_root", "parked", "revived"}
    assert declared.total() > 150


def test_a_death_is_of_the_page_or_of_its_domain(nights: list[Night]) -> None:
    last = nights[-1].states
    for link in WEB:
        of_host = [last[other.url_id]["state"] for other in WEB if other.host == link.host]
        if last[link.url_id]["state"] == "dead":
            assert last[link.url_id]["death"] == ("domain" if set(of_host) == {"dead"} else "page"), link
    scopes = Counter((link.script, last[link.url_id]["death"]) for link in WEB)
    assert scopes["vanished", "domain"] == 32
    assert scopes["steady", None] == sum(link.script == "steady" for link in WEB)


def test_links_come_back_from_the_dead(nights: list[Night]) -> None:
    revived = [link for link in WEB if link.script == "revived"]
    were_dead = [link for link in revived if any(night.states[link.url_id]["state"] == "dead" for night in nights)]
    back = [link for link in were_dead if nights[-1].states[link.url_id]["state"] == "alive"]
    assert len(were_dead) > 15
    assert len(back) > 10


@pytest.mark.parametrize("number", VOID)
def test_an_outage_of_our_own_changes_no_state(nights: list[Night], number: int) -> None:
    assert nights[number].states == nights[number - 1].states
    assert set(nights[number].due) <= set(nights[number + 1].due), "all of it is due the night after"
    assert nights[number].due


def test_history_judged_from_the_start_is_what_was_judged_night_by_night(
    nights: list[Night], folder: Path, tmp_path: Path
) -> None:
    scratch_lake(tmp_path, folder, WEB)
    _build(tmp_path, "from scratch")
    assert states(tmp_path) == nights[-1].states
    assert _verdicts(tmp_path) == _verdicts(folder)
    files = Snapshots(folder / "lake" / "tables").staged().tables["links.verdicts"].parts
    assert 1 < len(files) < 40, "old nights were merged on the way"


@pytest.fixture
def other_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Strikes five nights apart, and a 503 that bars us instead of being broken."""
    copy = Path(shutil.copytree(sql.sql_folder(), tmp_path / "sql"))
    for name, old, new in (
        ("staging/link_records", "records.last_strike >= 3)", "records.last_strike >= 5)"),
        ("links/verdicts", "between 500 and 599 then 'server_error'", "between 500 and 599 then 'blocked'"),
    ):
        file = copy / f"{name}.sql"
        assert file.read_text("utf-8").count(old) == 1
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    monkeypatch.setattr(sql, "sql_folder", lambda: copy)
    sql.relations.cache_clear()
    yield
    sql.relations.cache_clear()


def test_another_rule_judges_all_of_history_anew(nights: list[Night], folder: Path, other_rules: None) -> None:
    """The states that the new rule would have given, on what was observed."""
    known = {link.url_id: Known(gap=5) for link in WEB}
    by_id = {link.url_id: link for link in WEB}
    for number, night in enumerate(nights):
        for url_id in night.due if number not in VOID else ():
            verdict = VERDICTS[by_id[url_id].truth(number)]
            known[url_id].hear(number, "blocked" if verdict == "server_error" else verdict)
    _build(folder, "other rules")
    found = states(folder)
    assert found != nights[-1].states
    for url_id, link in known.items():
        told = link.told()
        assert {name: found[url_id][name] for name in told} == told, by_id[url_id]


def test_the_plot_of_the_nights_is_what_is_in_the_docs(nights: list[Night]) -> None:
    """Its curves: how wide a word is depends on the fonts of a machine."""
    counts = [Counter(str(row["state"]) for row in night.states.values()) for night in nights]
    shown, drawn = (
        re.findall(r' d="(M[^"]{150,})"', svg)
        for svg in (ROOT.joinpath("docs", "nights.svg").read_text("utf-8"), nights_chart(counts, VOID))
    )
    assert len(shown) > 3
    assert shown == drawn, "run `make docs`"


def _turns(nights: list[Night], link: Link) -> Iterator[tuple[int, object, object]]:
    before: object = "unknown"
    for number, night in enumerate(nights):
        after = night.states[link.url_id]["state"]
        yield number, before, after
        before = after


def _build(folder: Path, run_id: str) -> None:
    with begin_refresh(settings_of(folder), run_id, f"{FIRST + timedelta(NIGHTS)}T03:00:00Z") as refresh:
        due_tonight(refresh)


def _verdicts(folder: Path) -> list[dict[str, object]]:
    snapshots = Snapshots(folder / "lake" / "tables")
    paths = snapshots.paths(snapshots.staged().tables["links.verdicts"])
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: (row["night"], str(row["url_id"])))

"""What a closed night gave is kept, and made anew only where what it was made from has changed."""

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.assets.links import due_tonight
from pipeline.lake import nights as closed_nights
from pipeline.lake.logs import Log
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.snapshots import NightPart, Snapshots, TableFile
from pipeline.lake.store import FolderStore
from pipeline.model.logs import LINK_CHECKS
from tests.scripted_web import FIRST, links, run, scratch_lake, settings_of, states

WEB = links()[:60]
NIGHTS = 9


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake after some nights, in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("lived") / "lake of nights"
    assert len([*run(folder, WEB, NIGHTS)]) == NIGHTS
    return folder


@pytest.fixture
def folder(tmp_path: Path, lived: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(lived, tmp_path / lived.name))


def table(folder: Path, name: str = "links.verdicts") -> TableFile:
    return Snapshots(folder / "lake" / "tables").staged().tables[name]


def rows(folder: Path, parts: Sequence[NightPart]) -> list[dict[str, object]]:
    return [row for part in parts for row in pq.read_table(folder / "lake" / "tables" / part.file).to_pylist()]


def build(folder: Path, night: int, run_id: str, kept: int = 90) -> None:
    settings = settings_of(folder)
    settings = settings.model_copy(update={"links": settings.links.model_copy(update={"checks_kept_nights": kept})})
    with begin_refresh(settings, run_id, f"{FIRST + timedelta(night)}T05:00:00Z") as refresh:
        due_tonight(refresh)


def from_scratch(folder: Path, aside: Path, night: int) -> TableFile:
    scratch_lake(aside, folder, WEB)
    build(aside, night, "from scratch")
    return table(aside)


def test_a_later_refresh_of_a_night_makes_nothing_anew(folder: Path) -> None:
    before = {name: table(folder, name) for name in ("links.verdicts", "links.checks")}
    build(folder, NIGHTS, "again")
    build(folder, NIGHTS + 5, "much later")
    assert {name: table(folder, name) for name in before} == before
    asked = {part.first for part in before["links.verdicts"].parts}
    assert len(before["links.verdicts"].parts) == len(asked) > 5


def test_late_rows_make_anew_their_night_and_those_after_it(folder: Path, tmp_path: Path) -> None:
    before = table(folder)
    with begin_refresh(settings_of(folder), "late", f"{FIRST + timedelta(NIGHTS)}T04:00:00Z") as refresh:
        night = date.fromisoformat(before.parts[3].first)
        asked = pq.read_table(folder / "lake" / "tables" / before.parts[3].file)["url_id"].to_pylist()
        (url_id,) = [link.url_id for link in WEB if link.url_id not in map(str, asked)][:1]
        row = dict.fromkeys(LINK_CHECKS.names) | {
            "check_id": url_id, "night": night, "refresh_id": "killed", "url_id": url_id, "kind": "request",
            "client": "libcurl", "hop": 0, "attempt": 1, "request_url": "https://late.example/", "method": "GET",
            "started_at": refresh.started_at, "http_status": 404, "shard": 0,
        }  # fmt: skip
        refresh.logs.link_checks.append(pa.Table.from_pylist([row], schema=LINK_CHECKS))
    build(folder, NIGHTS, "after the late rows")
    after = table(folder)
    assert after.parts[:3] == before.parts[:3]
    assert {part.file for part in after.parts[3:]}.isdisjoint(part.file for part in before.parts)
    assert url_id in {str(row["url_id"]) for row in rows(folder, after.parts[3:4])}
    scratch = from_scratch(folder, tmp_path / "scratch", NIGHTS)
    assert rows(tmp_path / "scratch", scratch.parts) == rows(folder, after.parts)
    assert states(tmp_path / "scratch") == states(folder)


def test_a_night_that_is_voided_later_counts_no_more(folder: Path, tmp_path: Path) -> None:
    before, known = table(folder), states(folder)
    file = pq.read_table(folder / "lake" / "tables" / before.parts[0].file)
    assert file.num_rows
    checks = Log("link_checks", LINK_CHECKS, FolderStore(folder / "lake" / "log" / "link_checks"))
    first = pq.read_table(checks.files(FIRST), columns=["refresh_id", "night"])
    (refresh_id,) = {row["refresh_id"] for row in first.to_pylist() if row["night"] == FIRST}
    with begin_refresh(settings_of(folder), "who voids", f"{FIRST + timedelta(NIGHTS)}T04:00:00Z") as refresh:
        refresh.record("swept", refresh_id=refresh_id, night=FIRST, void_reason="the cable was out")
    build(folder, NIGHTS, "after")
    after = table(folder)
    assert rows(folder, after.parts[:1]) == []
    assert states(folder) != known
    from_scratch(folder, tmp_path / "scratch", NIGHTS)
    assert states(tmp_path / "scratch") == states(folder)


def test_a_lost_file_is_made_again(folder: Path) -> None:
    before, known = table(folder), states(folder)
    expected = rows(folder, before.parts)
    (folder / "lake" / "tables" / before.parts[2].file).unlink()
    build(folder, NIGHTS, "after the loss")
    assert rows(folder, table(folder).parts) == expected
    assert states(folder) == known


def test_many_closed_nights_are_merged_and_hold_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    expected = sorted(map(str, rows(folder, table(folder).parts)))
    monkeypatch.setattr(closed_nights, "MANY_PARTS", 3)
    build(folder, NIGHTS, "merging")
    merged = table(folder)
    assert len(merged.parts) < 4
    assert (merged.parts[0].first, merged.rows) == (f"{FIRST}", len(expected))
    assert sorted(map(str, rows(folder, merged.parts))) == expected
    build(folder, NIGHTS + 1, "the next night")
    assert table(folder) == merged, "a merged file is as good as those it was made from"


def test_the_warehouse_shows_the_last_nights_of_observations(folder: Path) -> None:
    build(folder, NIGHTS, "fewer", kept=4)
    kept = {row["night"] for row in rows(folder, table(folder, "links.checks").parts)}
    assert kept
    assert min(kept) > FIRST + timedelta(NIGHTS - 4)


def test_a_log_tells_which_files_can_hold_a_night(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("night", pa.date32(), nullable=False), pa.field("name", pa.string())])
    log = Log("things", schema, FolderStore(tmp_path / "things"))

    def append(*nights: int) -> None:
        log.append(
            pa.table({"night": [FIRST + timedelta(night) for night in nights], "name": ["x"] * len(nights)}, schema)
        )

    append(0, 0)
    append(1)
    append(1, 2)
    assert [len(log.files(FIRST + timedelta(night))) for night in range(4)] == [1, 2, 1, 0]
    assert log.rows_by_night() == {FIRST: 2, FIRST + timedelta(1): 2, FIRST + timedelta(2): 1}
    for night in range(3, 70):
        append(night)
    log.compact()
    assert len(log.files()) < 10
    assert log.rows_by_night()[FIRST + timedelta(1)] == 2
    assert log.files(FIRST + timedelta(90)) == []

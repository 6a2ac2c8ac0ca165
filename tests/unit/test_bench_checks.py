"""What the benchmarks refuse to call a figure, and how a figure is held to its bound."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench.archive import Archive, write_archive
from bench.floor import floor
from bench.intake import Pass, check_rows, give_new_titles
from bench.peer import Peer, check_peer
from bench.targets import Target
from pipeline.model.logs import ITEM


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return write_archive(tmp_path_factory.mktemp("archive") / "site", 50, 3)


def test_an_archive_tells_what_was_written(archive: Archive) -> None:
    stories = list((archive.folder / "_news").rglob("*.md"))
    assert (len(stories), sum(file.stat().st_size for file in stories)) == (archive.stories, archive.story_bytes)
    assert archive.files == sum(file.suffix in (".md", ".yaml") for file in archive.folder.rglob("*"))
    assert archive.stories == 50
    assert archive.mentions == 50 * 4
    assert archive.stories < archive.articles < archive.mentions


def test_the_floor_really_makes_the_typed_columns(archive: Archive, tmp_path: Path) -> None:
    least = floor(archive.folder / "_news", tmp_path, 1)
    for level in (1, 3):
        table = pq.read_table(tmp_path / f"0-zstd-{level}.parquet")
        assert table.num_rows == least.files == 50
        assert table["item"].type == ITEM
        assert sum(map(len, table["related"].to_pylist())) == 150
        assert all(item["title"] and item["publishedDateTime"] for item in table["item"].to_pylist())
    assert least.seconds(1) - least.parquet_1 == pytest.approx(least.seconds(3) - least.parquet_3)


def test_a_refresh_that_lost_a_row_is_no_figure(archive: Archive) -> None:
    made = Pass(1.0, 2.0, archive.files, 0, archive.stories, archive.mentions, archive.articles)
    check_rows("first", made, archive)
    for column in ("files_seen", "stories", "mentions", "articles"):
        with pytest.raises(ValueError, match="the first refresh found"):
            check_rows("first", replace(made, **{column: getattr(made, column) - 1}), archive)


def test_a_peer_that_lost_a_row_is_no_figure() -> None:
    peer = Peer("dlt", 0.1, 1.0, stories=50, related=150)
    check_peer(peer, 50, 150)
    for stories, related in ((51, 150), (50, 151)):
        with pytest.raises(ValueError, match="dlt loaded 50 stories and 150 related"):
            check_peer(peer, stories, related)


def test_a_file_without_a_title_cannot_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("---\nexcerpt: none\n---\n")
    with pytest.raises(ValueError, match="no title"):
        give_new_titles([file], "Run 1")


@pytest.mark.parametrize(
    ("bound", "measured", "is_reached"),
    [("at most", 1.6, True), ("at most", 1.61, False), ("at least", 1.6, True), ("at least", 1.59, False)],
)
def test_a_target_is_reached_up_to_its_bound(bound: str, measured: float, is_reached: bool) -> None:
    target = Target("cold", measured, bound, 1.6)
    assert target.is_reached is is_reached
    assert target.saved()["reached"] is is_reached

"""What changed between two walks is found, however the two are cut and in whatever order they come."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from pipeline.content.stat_cache import StatCache, changes

SCHEMA = pa.schema([pa.field("path", pa.string(), nullable=False), pa.field("size", pa.int64(), nullable=False)])


def cut(rows: list[tuple[str, int]], size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), size):
        paths, sizes = zip(*rows[start : start + size], strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(paths), pa.array(sizes)], schema=SCHEMA)
    yield pa.RecordBatch.from_arrays([pa.array([], pa.string()), pa.array([], pa.int64())], schema=SCHEMA)


def compared(cache: StatCache, now: list[tuple[str, int]], size: int) -> tuple[list[str], list[str]]:
    """What is there and not as remembered, and what is gone."""
    with cache.walked(pa.RecordBatchReader.from_batches(SCHEMA, cut(now, size))) as found:
        assert found.num_rows == len(now)
        remembered = cache.read()
        assert remembered is not None
        parts = [*changes(found, remembered)]
        there = [path for part in parts for path in part.there.to_pylist()]
        gone = [path for part in parts for path in part.gone.to_pylist()]
    return sorted(there), sorted(gone)


def remember(cache: StatCache, rows: list[tuple[str, int]], size: int, unread: list[str]) -> None:
    with cache.walked(pa.RecordBatchReader.from_batches(SCHEMA, cut(rows, size))) as found:
        cache.write(found, unread)


@pytest.mark.parametrize("order", ["as it was", "shuffled"])
@pytest.mark.parametrize("size", [1, 7, 50, 1_000])
@pytest.mark.parametrize("seed", range(5))
def test_every_change_is_found_once(tmp_path: Path, seed: int, size: int, order: str) -> None:
    chance = Random(seed)
    before = [(f"folder/{number:03}.md", chance.randrange(3)) for number in range(chance.choice((0, 1, 90, 200)))]
    now = [(path, chance.randrange(3) if chance.random() < 0.1 else size) for path, size in before]
    now = [row for row in now if chance.random() > 0.05]
    for number in range(chance.randrange(30)):
        now.insert(chance.randrange(len(now) + 1), (f"new/{number}.md", 1))
    if order == "shuffled":
        chance.shuffle(now)
    cache = StatCache(tmp_path / "cache" / "site.feather", lambda: "this log", 0)
    remember(cache, before, 50, [])
    was, there_now = dict(before), dict(now)
    assert compared(cache, now, size) == (
        sorted(path for path, look in now if was.get(path) != look),
        sorted(was.keys() - there_now),
    )
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["site.feather"]


def test_what_was_left_unread_is_as_never_seen(tmp_path: Path) -> None:
    cache = StatCache(tmp_path / "site.feather", lambda: "this log", 0)
    rows = [("a.md", 1), ("b.md", 2)]
    remember(cache, rows, 1, ["b.md"])
    assert compared(cache, rows, 2) == (["b.md"], [])


def test_a_cache_of_another_log_and_one_that_is_torn_are_none(tmp_path: Path) -> None:
    file = tmp_path / "site.feather"
    cache = StatCache(file, lambda: "this log", 0)
    assert cache.read() is None
    remember(cache, [("a.md", 1)], 1, [])
    assert StatCache(file, lambda: "another", 0).read() is None
    file.write_bytes(file.read_bytes()[:40])
    assert cache.read() is None

"""Rows in a spool outlive the process that wrote them, and become rows of the log once."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import LakeError
from pipeline.lake.logs import Log, Logs
from pipeline.lake.spool import Spool
from pipeline.links.journey import first_visit
from pipeline.links.observation import as_table, observe_unasked
from pipeline.links.vocabulary import Kind
from tests.hostile_web.night import LINKS, due_url, planned


def rows(*numbers: int) -> pa.Table:
    plan, at = planned(LINKS), datetime(2026, 3, 1, tzinfo=UTC)
    return as_table(
        [
            observe_unasked(plan, first_visit(due_url(f"http://a.example/{number}")), Kind.SHARED, None, None, at)
            for number in numbers
        ]
    )


def asked(log: Log) -> list[int]:
    """Which of them the log holds."""
    urls = [url for file in log.files() for url in pq.read_table(file)["request_url"].to_pylist()]
    return sorted(int(url.rpartition("/")[2]) for url in urls)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Logs.of(tmp_path).link_checks


def test_many_parts_become_one_part_of_the_log(log: Log) -> None:
    spool = Spool(log)
    for number in range(5):
        spool.append(rows(number))
    assert log.files() == []
    spool.commit()
    assert asked(log) == [0, 1, 2, 3, 4]
    assert len(log.files()) == 1


def test_what_a_process_left_is_taken_up_by_the_next(log: Log) -> None:
    Spool(log).append(rows(1, 2))
    Spool(log).append(rows(3))
    torn = next(log.store.spools.glob("*/*")) / "00000009.torn"
    torn.write_bytes(b"PAR1")
    Spool(log).commit()
    Spool(log).commit()
    assert asked(log) == [1, 2, 3]


def test_a_batch_that_was_committed_but_not_cleaned_is_not_committed_again(log: Log) -> None:
    spool = Spool(log)
    spool.append(rows(1))
    batch = next(log.store.spools.glob("*/*"))
    shutil.copytree(batch, kept := log.store.spools / "kept")
    spool.commit()
    shutil.move(kept, batch)  # as if the process had died before it removed the folder
    spool.append(rows(2))
    spool.commit()
    assert asked(log) == [1, 2]
    assert not list(log.store.spools.glob("*/*"))


def test_a_compaction_keeps_what_is_known_of_batches(log: Log) -> None:
    spool = Spool(log)
    for number in range(70):
        spool.append(rows(number))
        spool.commit()
    log.compact()
    assert log.batches("spool-0") == 70
    assert asked(log) == list(range(70))


def test_a_spool_that_cannot_be_read_says_where_it_is(log: Log) -> None:
    Spool(log).append(rows(1))
    part = next(log.store.spools.glob("*/*/*.arrow"))
    part.write_bytes(b"no parquet")
    with pytest.raises(LakeError, match="_spool"):
        Spool(log).commit()
    assert part.exists()

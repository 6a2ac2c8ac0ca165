"""Publication: a reader sees one refresh, whole, or the one before."""

import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import QueryError, WarehouseError
from pipeline.lake.snapshots import TableFile
from pipeline.settings import Warehouse
from pipeline.warehouse import build_warehouse, publish_warehouse, query, read_file, roll_back
from pipeline.warehouse.building import BUILDING

RULES = Warehouse()
HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    statement = "select count(*), min(value), max(value) from coverage.leftovers"
    print(connection.execute(statement).fetchall(), flush=True)
"""
"""A reader that opens the warehouse once and answers a query for each line."""


def _leftovers(tmp_path: Path, rows: int, counted: int | None = None) -> dict[str, tuple[TableFile, list[Path]]]:
    file = tmp_path / f"leftovers-{rows}.parquet"
    ids = [f"00000000-0000-0000-0000-{number:012d}" for number in range(rows)]
    pq.write_table(pa.table({"version_id": ids, "pointer": ["/x"] * rows, "value": [str(rows)] * rows}), file)
    return {"coverage.leftovers": (TableFile(file.name, rows if counted is None else counted, 1, "made"), [file])}


def _publish(tmp_path: Path, refresh_id: str, rows: int, keep: int = 3) -> Path:
    built = build_warehouse(tmp_path / "warehouse", refresh_id, _leftovers(tmp_path, rows), RULES)
    return publish_warehouse(built, tmp_path / "warehouse.duckdb", keep)


def test_a_published_file_is_read_only_and_the_link_names_it(tmp_path: Path) -> None:
    published = _publish(tmp_path, "r1", 3)
    link = tmp_path / "warehouse.duckdb"
    assert link.is_symlink()
    assert read_file(link) == published
    assert stat.S_IMODE(published.stat().st_mode) == 0o444
    assert list((tmp_path / "warehouse").iterdir()) == [published], "no .wal, no half-built file"


def test_tables_and_columns_explain_themselves(tmp_path: Path) -> None:
    file = _publish(tmp_path, "r1", 1)
    described = query(file, "select comment from duckdb_tables() where table_name = 'leftovers'").to_pylist()
    assert described[0]["comment"].startswith("What the typed columns alone")
    silent = query(file, "select column_name from duckdb_columns() where comment is null and not internal")
    assert silent.num_rows == 0


def test_the_catalog_lists_every_relation_and_itself(tmp_path: Path) -> None:
    file = _publish(tmp_path, "r1", 3)
    columns = "relation, schema, kind, grain, key, sql_file, row_count"
    assert query(file, f"select {columns} from ops.catalog").to_pylist() == [
        {"relation": "coverage.leftovers", "schema": "coverage", "kind": "table", "grain": "one key of one meaning"}
        | {"key": "version_id, pointer", "sql_file": "sql/coverage/leftovers.sql", "row_count": 3},
        {"relation": "ops.catalog", "schema": "ops", "kind": "table", "grain": "relation or macro"}
        | {"key": "relation", "sql_file": None, "row_count": 2},
    ]


def test_a_reader_that_holds_a_connection_is_never_disturbed(tmp_path: Path) -> None:
    """It keeps the refresh it opened, through three publications and the pruning of its file."""
    _publish(tmp_path, "r1", 1)
    link = tmp_path / "warehouse.duckdb"
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(link),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    print(file=reader.stdin, flush=True)
    assert reader.stdout.readline().strip() == "[(1, '1', '1')]"
    for refresh_id, rows in (("r2", 2), ("r3", 3), ("r4", 4)):
        _publish(tmp_path, refresh_id, rows, keep=1)
        print(file=reader.stdin, flush=True)
        assert reader.stdout.readline().strip() == "[(1, '1', '1')]"
    reader.stdin.close()
    assert reader.wait(10) == 0
    assert query(read_file(link), "select count(*) as n from coverage.leftovers").to_pylist() == [{"n": 4}]


def test_left_overs_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    for name in (f"r0.duckdb{BUILDING}", f"r0.duckdb{BUILDING}.wal"):
        (folder / name).write_bytes(b"half")
    published = _publish(tmp_path, "r1", 1)
    assert list(folder.iterdir()) == [published]


def test_a_table_short_of_rows_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="2 rows were loaded"):
        build_warehouse(tmp_path / "warehouse", "r1", _leftovers(tmp_path, 2, counted=3), RULES)


def test_only_the_last_files_are_kept(tmp_path: Path) -> None:
    for number in range(5):
        _publish(tmp_path, f"r{number}", 1, keep=2)
    assert sorted(file.name for file in (tmp_path / "warehouse").iterdir()) == ["r3.duckdb", "r4.duckdb"]


def test_a_rollback_goes_to_the_file_before_and_keeps_the_other(tmp_path: Path) -> None:
    """Again to the one before that; the next publication stands above both."""
    for number in (1, 2, 3):
        _publish(tmp_path, f"r{number}", number)
    link = tmp_path / "warehouse.duckdb"
    assert roll_back(link).name == "r2.duckdb"
    assert query(read_file(link), "select count(*) as n from coverage.leftovers").to_pylist() == [{"n": 2}]
    assert roll_back(link).name == "r1.duckdb"
    assert sorted(file.name for file in (tmp_path / "warehouse").iterdir()) == [f"r{n}.duckdb" for n in (1, 2, 3)]
    assert _publish(tmp_path, "r4", 4) == read_file(link)


def test_without_an_earlier_file_nothing_is_rolled_back(tmp_path: Path) -> None:
    published = _publish(tmp_path, "r1", 1)
    with pytest.raises(WarehouseError, match=r"r1\.duckdb: no warehouse published before it is kept"):
        roll_back(tmp_path / "warehouse.duckdb")
    assert read_file(tmp_path / "warehouse.duckdb") == published
    with pytest.raises(WarehouseError, match="newsledger refresh"):
        roll_back(tmp_path / "nowhere.duckdb")


def test_nobody_can_write_to_it(tmp_path: Path) -> None:
    file = _publish(tmp_path, "r1", 1)
    with pytest.raises(QueryError, match="read-only"):
        query(file, "delete from coverage.leftovers")


def test_a_bad_query_gets_duckdbs_own_words(tmp_path: Path) -> None:
    file = _publish(tmp_path, "r1", 1)
    with pytest.raises(QueryError, match="nosuch"):
        query(file, "select * from nosuch")


def test_before_the_first_refresh_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="newsledger refresh"):
        read_file(tmp_path / "warehouse.duckdb")


def test_the_storage_version_of_the_settings_is_kept(tmp_path: Path) -> None:
    file = _publish(tmp_path, "r1", 1)
    with duckdb.connect(str(file), read_only=True) as connection:
        tags = connection.execute("select tags from duckdb_databases() where not internal").fetchall()
    assert "v1.5.0" in str(tags)

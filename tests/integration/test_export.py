"""What an export writes, read back by other programs' readers."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import QueryError, WarehouseError
from pipeline.settings import load_settings
from pipeline.warehouse import ExportFormat, export_tables, exporting
from tests.tables import Row, uid
from tests.warehouses import published

MOMENT = datetime(2026, 3, 9, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Two tables of `reports` and one of `coverage`."""
    conflicts: list[Row] = [
        {"kind": "article_title", "subject": "https://a.example/", "value": value, "mentions": 2, "is_shown": True}
        for value in ("=1+1", "007", "https://a.example/x", 'a, "b"\n<c>')
    ]
    clusters: list[Row] = [
        {"cluster_id": uid(1), "paths": ["a.md", "b,c.md"], "mutual_listings": [{"path": "a", "other_path": "b"}]}
        | {"heat": 2**60, "first_published_at": MOMENT, "last_published_at": datetime(1066, 10, 14, tzinfo=UTC)}
    ]
    tables = {
        "reports.name_conflicts": conflicts,
        "reports.clusters_of_stories": clusters,
        "coverage.leftovers": [{"version_id": uid(2), "pointer": "/x", "value": "y" * 40_000}],
    }
    return published(tables, tmp_path)


def test_a_schema_is_a_parquet_file_for_each_of_its_tables(warehouse: Path, tmp_path: Path) -> None:
    """In the order of their keys; an export before it is replaced."""
    for _ in range(2):
        exported = export_tables(warehouse, ["reports"], tmp_path / "out", ExportFormat.PARQUET)
    assert [(one.relation, one.rows) for one in exported] == [
        ("reports.clusters_of_stories", 1),
        ("reports.name_conflicts", 4),
    ]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "reports.clusters_of_stories.parquet",
        "reports.name_conflicts.parquet",
    ]
    [row] = pq.read_table(exported[0].file).to_pylist()
    assert (row["paths"], row["first_published_at"]) == (["a.md", "b,c.md"], MOMENT)
    values = pq.read_table(exported[1].file)["value"].to_pylist()
    assert values == sorted(values)


def test_csv_keeps_commas_quotes_and_lines_of_a_value(warehouse: Path, tmp_path: Path) -> None:
    [exported] = export_tables(warehouse, ["reports.name_conflicts"], tmp_path / "out", ExportFormat.CSV)
    with exported.file.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] for row in rows] == ["007", "=1+1", 'a, "b"\n<c>', "https://a.example/x"]


def test_a_workbook_has_a_sheet_for_each_table_and_texts_stay_texts(warehouse: Path, tmp_path: Path) -> None:
    """No formula, no number and no link is made of them, whatever they look like."""
    exported = export_tables(warehouse, ["reports", "coverage.leftovers"], tmp_path / "out", ExportFormat.EXCEL)
    [file] = (tmp_path / "out").iterdir()
    assert {one.file for one in exported} == {file}
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["leftovers", "clusters_of_stories", "name_conflicts"]
    heading, *rows = book["name_conflicts"].iter_rows()
    columns = {cell.value: position for position, cell in enumerate(heading)}
    cells = [row[columns["value"]] for row in rows]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in cells] == [
        (text, "s", None) for text in ("007", "=1+1", 'a, "b"\n<c>', "https://a.example/x")
    ]
    assert [(row[columns["mentions"]].value, row[columns["is_shown"]].value) for row in rows] == [(2, True)] * 4
    assert rows[0][columns["article_id"]].value is None


def test_what_excel_has_no_type_for_is_text(warehouse: Path, tmp_path: Path) -> None:
    export_tables(warehouse, ["reports"], tmp_path, ExportFormat.EXCEL)
    heading, row = openpyxl.load_workbook(tmp_path / "newsledger.xlsx")["clusters_of_stories"].values
    values = dict(zip(heading, row, strict=True))
    assert values["cluster_id"] == uid(1)
    assert values["first_published_at"] == MOMENT.replace(tzinfo=None)
    assert values["last_published_at"] == "1066-10-14 00:00:00"
    assert values["heat"] == str(2**60)
    assert json.loads(values["mutual_listings"]) == [{"path": "a", "other_path": "b"}]


def test_a_text_too_long_for_a_cell_is_cut_and_counted(warehouse: Path, tmp_path: Path) -> None:
    [exported] = export_tables(warehouse, ["coverage"], tmp_path, ExportFormat.EXCEL)
    assert exported.cut == 1
    [_, (*_, value)] = openpyxl.load_workbook(exported.file)["leftovers"].values
    assert value == "y" * 32_767


def test_more_rows_than_a_sheet_holds_are_refused(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHEET_ROWS", 4)
    with pytest.raises(QueryError, match=r"reports\.name_conflicts: 4 rows, .* export to parquet or csv"):
        export_tables(warehouse, ["reports"], tmp_path / "out", ExportFormat.EXCEL)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["nowhere", "reports.nothing", "name_conflicts", "search(words)"])
def test_an_unknown_name_is_refused_before_anything_is_written(warehouse: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(QueryError, match="no such schema or table; schemas are coverage, ops, reports"):
        export_tables(warehouse, ["reports", name], tmp_path / "out", ExportFormat.CSV)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(WarehouseError, match="taken"):
        export_tables(warehouse, ["reports"], tmp_path / "taken", ExportFormat.CSV)


def test_the_command_exports_the_reports_unless_told_otherwise(
    warehouse: Path, tmp_path: Path, write_settings: Callable[..., Path]
) -> None:
    config = write_settings(tmp_path)
    link = load_settings(config).warehouse_file
    link.parent.mkdir()
    link.symlink_to(warehouse)

    def newsledger_here(*arguments: str | Path) -> str:
        command = ["export", *map(str, arguments), "--config", str(config)]
        return CliRunner().invoke(app, command, catch_exceptions=False).stdout

    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "export", str(tmp_path / "out"), "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert done.stdout.splitlines() == [
        f"{tmp_path}/out/reports.clusters_of_stories.parquet: reports.clusters_of_stories, 1 rows",
        f"{tmp_path}/out/reports.name_conflicts.parquet: reports.name_conflicts, 4 rows",
    ]
    cut = newsledger_here(tmp_path / "out", "coverage.leftovers", "--format", "excel")
    assert cut == (f"{tmp_path}/out/newsledger.xlsx: coverage.leftovers, 1 rows, 1 texts cut to what a cell holds\n")
    with pytest.raises(QueryError, match="nowhere: no such schema or table"):
        newsledger_here(tmp_path / "out", "nowhere")

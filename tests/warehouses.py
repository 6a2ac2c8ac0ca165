"""Warehouses of hand-made tables, built and published by the product's own hands."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.lake.relations import relation
from pipeline.lake.snapshots import TableFile
from pipeline.settings import Warehouse
from pipeline.warehouse import build_warehouse, publish_warehouse
from tests.tables import Row, hand_made


def published(tables: Mapping[str, Iterable[Row]], folder: Path) -> Path:
    """The file of a warehouse with those tables alone."""
    files = {}
    with hand_made(tables, folder / "scratch") as session:
        for name in tables:
            target = folder / f"{name}.parquet"
            rows = session.write(name, relation(name).key, target)
            files[name] = (TableFile(target.name, rows, 1, "made"), [target])
    built = build_warehouse(folder / "warehouse", "r1", files, Warehouse())
    return publish_warehouse(built, folder / "warehouse.duckdb", 3)

"""The DuckDB warehouse: built as a new file each time, checked, published by a symlink, read by anyone.

A published file is never written again, so no reader is ever stopped and none sees half a refresh.
"""

from pipeline.warehouse.building import build_warehouse
from pipeline.warehouse.exporting import Exported, ExportFormat, export_tables
from pipeline.warehouse.publishing import publish_warehouse, roll_back
from pipeline.warehouse.reading import Conversation, query, read_file

__all__ = [
    "Conversation",
    "ExportFormat",
    "Exported",
    "build_warehouse",
    "export_tables",
    "publish_warehouse",
    "query",
    "read_file",
    "roll_back",
]

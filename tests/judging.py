"""Observations judged, and verdicts folded into states, by the product's own hands, outside a refresh."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.build import Builder
from pipeline.lake.logs import Logs
from pipeline.lake.nights import LinkNights
from pipeline.lake.relations import relation
from pipeline.lake.session import Session, open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.model.tables import LINK_RECORDS


def judged(checks: pa.Table, refreshes: pa.Table | None = None) -> list[dict[str, object]]:
    """The rows of links.verdicts that the observations of any nights amount to, in the order of the nights."""
    if not checks.num_rows:
        return []
    with TemporaryDirectory() as folder:
        logs = Logs.of(Path(folder))
        logs.link_checks.append(checks)
        if refreshes is not None:
            logs.refreshes.append(refreshes)
        snapshots = Snapshots(Path(folder) / "tables")
        tonight = max(checks["night"].to_pylist())
        with open_session("500MB", Path(folder) / "scratch", logs) as session:
            nights = LinkNights(logs.link_checks, tonight, 90)
            builder = Builder(session, snapshots, "r1", {}, makers=nights.makers())
            made = nights.makers()["links.verdicts"](builder, relation("links.verdicts"))
        rows = [row for file in snapshots.paths(made) for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: row["night"])


def fold(session: Session, nights: Iterable[date]) -> None:
    """Fold the verdicts of the session's links.verdicts over the nights, one after the other, into
    staging.link_states."""
    session.make(relation("staging.verdict_groups"))
    session.run(f"drop table if exists {LINK_RECORDS.full_name}; {LINK_RECORDS.definition()}")
    for night in sorted({*nights, date.max}):  # the last one has no verdicts and leaves the records as they are
        session.give("this.night", pa.table({"night": pa.array([night], pa.date32())}))
        session.make(relation("staging.link_records"))
        session.run(
            f"create or replace table {LINK_RECORDS.full_name} as"
            f" select {LINK_RECORDS.select_list()} from staging.link_records"
        )
    session.make(relation("staging.link_states"))

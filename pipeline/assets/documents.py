"""One asset a source: read what changed of it into the documents log."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from multiprocessing import get_context

import dagster as dg
import pyarrow as pa

from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS
from pipeline.content import Counts, Intake, Rules, StatCache, end_with_parent
from pipeline.lake.refresh import Refresh
from pipeline.lake.relations import relation
from pipeline.settings import Executor, Source


def document_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["documents", source])


def documents_asset(source: Source) -> dg.AssetsDefinition:
    """The asset `documents/<source>`."""

    @dg.asset(
        key=document_key(source.name),
        group_name="documents",
        kinds={"yaml", "deltalake"},
        owners=OWNERS,
        description=f"The files of the source {source.name}, taken into the append-only documents log: one row for"
        " each meaning a file has had. An unchanged file costs a stat.",
        metadata={"path": str(source.path), "include": ", ".join(source.include), "exclude": ", ".join(source.exclude)},
        required_resource_keys={"refresh"},
    )
    def documents(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        counts = take_in(refresh, source)
        context.log.info("%s: %s", source.name, ", ".join(f"{n:,} {what}" for what, n in asdict(counts).items()))
        return dg.MaterializeResult(
            metadata={"dagster/row_count": counts.seen}
            | {f"files_{name}": value for name, value in asdict(counts).items()}
        )

    return documents


def take_in(refresh: Refresh, source: Source) -> Counts:
    """Read the source into the log and record what was counted. Raises SourceError where it cannot be believed."""
    settings = refresh.settings
    log = refresh.logs.documents

    def made_for() -> str:
        return sha256(f"{log.table_id()}|{source!r}|{settings.content!r}".encode()).hexdigest()

    with _pool(settings.executor) as pool:
        counts = Intake(
            source=source,
            rules=Rules.of(settings.content),
            seen_at=refresh.started_at,
            refresh_id=refresh.refresh_id,
            cache=StatCache(settings.data_dir / "cache" / f"{source.name}.feather", made_for, time.time_ns()),
            known=lambda: _known(refresh, source.name),
            append=log.append,
            executor=pool,
            seen_before=_seen_before(refresh, source.name),
            min_files_share=settings.sanity.min_files_share,
        ).run()
    refresh.record("read", source=source.name, **{f"files_{name}": value for name, value in asdict(counts).items()})
    return counts


def _known(refresh: Refresh, source: str) -> pa.Table:
    """The last row of each path of the source in the log."""
    with refresh.session() as session:
        session.make(relation("staging.last_rows"))
        return session.table(
            "select path, status, version_id, semantic_sha256, sha256 from staging.last_rows where source = ?", [source]
        )


def _seen_before(refresh: Refresh, source: str) -> int | None:
    """The files seen when the source was last read."""
    with refresh.session() as session:
        rows = session.run(
            "select arg_max(files_seen, happened_at) from log.refreshes where event = 'read' and source = ?", [source]
        )
    seen = rows[0][0]
    assert seen is None or isinstance(seen, int)
    return seen


@contextmanager
def _pool(executor: Executor) -> Iterator[Pool | None]:
    """What the shards run in: None is this process. Workers are started only when a shard is submitted."""
    if executor.kind == "serial":
        yield None
        return
    # Spawned, not forked: Dagster's process has threads.
    workers, spawn = executor.workers or os.cpu_count(), get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=end_with_parent) as pool:
        yield pool

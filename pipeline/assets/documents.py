"""One asset a source: read what changed of it into the documents log."""

import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pyarrow as pa

from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS
from pipeline.content import Counts, Intake, Reader, Rules, StatCache, open_tree
from pipeline.executors import open_workers
from pipeline.lake.refresh import Refresh
from pipeline.settings import Settings, Source


def document_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["documents", source])


def cache_file(settings: Settings, source: Source) -> Path:
    """Where the refreshes remember what each file of the source looked like."""
    return settings.data_dir / "cache" / f"{source.name}.feather"


def documents_asset(source: Source, copies: Path) -> dg.AssetsDefinition:
    """The asset `documents/<source>`; `copies` is the folder of what was fetched."""

    @dg.asset(
        key=document_key(source.name),
        group_name="documents",
        kinds={"yaml", "deltalake"},
        owners=OWNERS,
        description=f"The files of the source {source.name}, taken into the append-only documents log: one row for"
        " each meaning a file has had. An unchanged file costs a stat.",
        metadata={
            "place": open_tree(source, copies).place,
            "include": ", ".join(source.include),
            "exclude": ", ".join(source.exclude),
        }
        | ({"branch": source.branch or "the repository's HEAD"} if source.git else {}),
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

    walked_ns = time.time_ns()
    tree = open_tree(source, settings.copies_dir).updated()
    with open_workers(settings.executor) as workers:
        counts = Intake(
            source=source,
            tree=tree,
            reader=Reader(source.name, Rules.of(settings.content), refresh.started_at, refresh.refresh_id, tree.commit),
            cache=StatCache(cache_file(settings, source), made_for, walked_ns),
            memory=LogMemory(refresh, source.name),
            log=log,
            executor=None if workers is None else workers.pool,
            seen_before=_seen_before(refresh, source.name),
            min_files_share=settings.sanity.min_files_share,
        ).run()
    refresh.record(
        "read",
        source=source.name,
        commit=tree.commit,
        **{f"files_{name}": value for name, value in asdict(counts).items()},
    )
    return counts


_LAST_ROWS = """
select
    path,
    arg_max(status, seen_at) as status,
    arg_max(version_id, seen_at) as version_id,
    arg_max_null(semantic_sha256, seen_at) as semantic_sha256,
    arg_max_null(sha256, seen_at) as sha256
from log.documents
where source = ?
"""


@dataclass(frozen=True, slots=True)
class LogMemory:
    """What the documents log holds of a source: the last row of each path."""

    refresh: Refresh
    source: str

    def known(self, paths: pa.Table) -> pa.Table:
        """Of those of `paths` that were ever seen."""
        with self.refresh.session(self.refresh.logs.documents) as session:
            session.give("this.paths", paths)
            return session.table(f"{_LAST_ROWS} and path in (from this.paths) group by path", [self.source])

    def all(self) -> pa.Table:
        """Of every path that was ever seen."""
        with self.refresh.session(self.refresh.logs.documents) as session:
            return session.table(f"{_LAST_ROWS} group by path", [self.source])


def _seen_before(refresh: Refresh, source: str) -> int | None:
    """The files seen when the source was last read."""
    with refresh.session(refresh.logs.refreshes) as session:
        rows = session.run(
            "select arg_max(files_seen, happened_at) from log.refreshes where event = 'read' and source = ?", [source]
        )
    seen = rows[0][0]
    assert seen is None or isinstance(seen, int)
    return seen

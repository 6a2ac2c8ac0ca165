"""One asset a source: read what changed of it into the documents log."""

import time
from contextlib import ExitStack
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS, freshness, log_schema, log_size
from pipeline.content import Counts, Intake, Reader, Rules, StatCache, open_tree
from pipeline.errors import UnreachableError
from pipeline.executors import open_workers
from pipeline.lake.refresh import Refresh
from pipeline.lake.session import Session
from pipeline.model.logs import DOCUMENTS
from pipeline.settings import Settings, Source

RETRIES = 3
FIRST_WAIT_SECONDS = 5
"""Before a source that cannot be reached is asked again; twice as long each time."""


def document_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["documents", source])


def cache_file(settings: Settings, source: Source) -> Path:
    """Where the refreshes remember what each file of the source looked like."""
    return settings.data_dir / "cache" / f"{source.name}.feather"


class Reading(dg.Config):
    """How this run reads one source."""

    min_files_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least share of the files of the last refresh that must be seen, for this run alone: 0 believes"
        " that the others are really gone. Empty: sanity.min_files_share of the settings",
    )


def documents_asset(source: Source, settings: Settings) -> dg.AssetsDefinition:
    """The asset `documents/<source>`, which can be read alone: what stands in the log of the others stays."""

    @dg.asset(
        key=document_key(source.name),
        group_name="documents",
        kinds={"yaml", "deltalake"},
        owners=OWNERS,
        description=f"The files of the source {source.name}, taken into the append-only documents log: one row for"
        " each meaning a file has had. An unchanged file costs a stat.",
        metadata={
            "dagster/column_schema": log_schema(DOCUMENTS),
            "place": open_tree(source, settings.copies_dir).place,
            "include": ", ".join(source.include),
            "exclude": ", ".join(source.exclude),
        }
        | ({"branch": source.branch or "the repository's HEAD"} if source.git else {}),
        freshness_policy=freshness(settings.schedule),
        required_resource_keys={"refresh"},
    )
    def documents(context: dg.AssetExecutionContext, config: Reading) -> dg.MaterializeResult:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        try:
            counts = take_in(refresh, source, config.min_files_share)
        except UnreachableError as error:
            waiting = FIRST_WAIT_SECONDS * 2**context.retry_number
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=waiting) from error
        context.log.info("%s: %s", source.name, ", ".join(f"{n:,} {what}" for what, n in asdict(counts).items()))
        return dg.MaterializeResult(
            metadata={"dagster/row_count": counts.seen}
            | {f"files_{name}": value for name, value in asdict(counts).items()}
            | log_size(refresh.logs.documents)
        )

    return documents


def take_in(refresh: Refresh, source: Source, min_files_share: float | None = None) -> Counts:
    """Read the source into the log and record what was counted. Raises SourceError where it cannot be believed, which
    `min_files_share` settles for once."""
    settings = refresh.settings
    log = refresh.logs.documents

    def made_for() -> str:
        return sha256(f"{log.table_id()}|{source!r}|{settings.content!r}".encode()).hexdigest()

    walked_ns = time.time_ns()
    tree = open_tree(source, settings.copies_dir).updated()
    with ExitStack() as stack, open_workers(settings.executor) as workers:
        counts = Intake(
            source=source,
            tree=tree,
            reader=Reader(source.name, Rules.of(settings.content), refresh.started_at, refresh.refresh_id, tree.commit),
            cache=StatCache(cache_file(settings, source), made_for, walked_ns),
            memory=LogMemory(refresh, source.name, stack),
            log=log,
            workers=workers,
            seen_before=_seen_before(refresh, source.name),
            min_files_share=settings.sanity.min_files_share if min_files_share is None else min_files_share,
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
{which} join this.paths using (path)
where source = $source {within}
group by path
"""


class LogMemory:
    """What the documents log holds of a source when it is first asked: the last row of each path. One session answers
    all that is asked, until `stack` ends."""

    def __init__(self, refresh: Refresh, source: str, stack: ExitStack) -> None:
        self._refresh, self._source, self._stack = refresh, source, stack

    def known(self, paths: pa.Table) -> pa.Table:
        """Of those of `paths` that were ever seen."""
        ends = pc.min_max(paths["path"])  # which most files of the log are beyond, and so are not read
        within = "and path between $min and $max"
        return self._last_rows("semi", within, paths, {"min": ends["min"].as_py(), "max": ends["max"].as_py()})

    def others(self, paths: pa.RecordBatchReader) -> pa.Table:
        """Of every other path that was ever seen."""
        holds_rows = self._refresh.logs.documents.state() != ""
        return self._last_rows("anti", "", paths if holds_rows else paths.schema.empty_table(), {})

    def _last_rows(
        self, which: str, within: str, paths: pa.Table | pa.RecordBatchReader, parameters: dict[str, str]
    ) -> pa.Table:
        self._session.give("this.paths", paths)
        return self._session.table(
            _LAST_ROWS.format(which=which, within=within), {"source": self._source, **parameters}
        )

    @cached_property
    def _session(self) -> Session:
        return self._stack.enter_context(self._refresh.session(self._refresh.logs.documents))


def _seen_before(refresh: Refresh, source: str) -> int | None:
    """The files seen when the source was last read."""
    with refresh.session(refresh.logs.refreshes) as session:
        rows = session.run(
            "select arg_max(files_seen, happened_at) from log.refreshes where event = 'read' and source = ?", [source]
        )
    seen = rows[0][0]
    assert seen is None or isinstance(seen, int)
    return seen

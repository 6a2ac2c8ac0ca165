"""Nights on a lake, folder or object store, by the product's own stages and without Dagster: for a process that a test
may kill, and for two machines at once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from pipeline.assets.coverage import coverage_builder
from pipeline.assets.documents import take_in
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import Refresh, begin_refresh
from pipeline.lake.session import open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.lake.spool import Spool
from pipeline.lake.store import open_lake
from pipeline.links.journey import first_visit
from pipeline.links.observation import as_table, observe_unasked
from pipeline.links.vocabulary import Kind
from pipeline.model.tables import TABLES
from pipeline.settings import Executor as ExecutorSettings
from pipeline.settings import Lake, LakeOptions, Links, Settings, Source
from tests.hostile_web.night import LINKS, due_url, planned
from tests.stores import Store

ARTICLE = """---
category: news
title: {title}
webUrl: https://daily.example/{name}
quality: {quality}
related:
- title: Another side of it
  webUrl: https://weekly.example/{name}
---
See [this](https://monthly.example/{name}).
"""
NIGHTS = ("2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z", "2026-03-03T02:00:00Z", "2026-03-04T02:00:00Z")
_OF_A_REFRESH = ("refresh_id", "seen_at", "first_seen_at", "last_seen_at", "replaced_at")


def write_archive(site: Path, **titles: str) -> Path:
    """An archive of one story for each name, with that title."""
    (site / "_news").mkdir(parents=True, exist_ok=True)
    for name, title in titles.items():
        (site / "_news" / f"2026-01-01-{name}.md").write_text(
            ARTICLE.format(title=title, name=name, quality=len(title)), "utf-8"
        )
    return site


def lake_settings(site: Path, data_dir: Path, store: Store | None, **sections: object) -> Settings:
    """Settings of a machine with that data_dir, its lake in the bucket `lake` of the store, or in its own folder."""
    options = LakeOptions(endpoint=store.endpoint, allow_http=True) if store else LakeOptions()
    values: dict[str, object] = {
        "data_dir": data_dir,
        "sources": (Source(name="site", path=site),),
        "links": Links(enabled=False),
        "executor": ExecutorSettings(kind="serial"),
        "lake": Lake(url="s3://lake/of/ours" if store else None, options=options, keep_snapshots=1),
    }
    return Settings(**(values | sections))  # type: ignore[arg-type]


@contextmanager
def begun(settings: Settings, night: int, run: str = "run") -> Iterator[Refresh]:
    with begin_refresh(settings, f"{run} {night}", NIGHTS[night]) as refresh:
        yield refresh


def read(refresh: Refresh) -> None:
    for source in refresh.settings.sources:
        take_in(refresh, source)


def observe(refresh: Refresh) -> None:
    """Two observations, in two batches of a spool; what a night before left in it is taken up first."""
    log = refresh.logs.link_checks
    Spool.commit_all(log)
    spool, plan = Spool(log), replace(planned(LINKS, refresh.refresh_id), night=refresh.night)
    for number in range(2):
        visit = first_visit(due_url(f"https://daily.example/{refresh.night}/{number}"))
        spool.append(as_table([observe_unasked(plan, visit, Kind.SHARED, None, None, refresh.started_at)]))
        spool.commit()


def build(refresh: Refresh) -> None:
    with refresh.session() as session:
        coverage_builder(refresh, session).build("coverage")
    with refresh.session() as session:
        refresh.builder(session).build("links")


def publish(refresh: Refresh) -> None:
    refresh.snapshots.publish(refresh.settings.lake.keep_snapshots)
    refresh.record("published", warehouse="none")
    for log in refresh.logs:
        log.compact()


def whole_night(settings: Settings, night: int, environment: Mapping[str, str] | None = None) -> None:
    """What a refresh writes into the lake, in its order. Also the work of a process of its own."""
    os.environ.update(environment or {})
    with begun(settings, night) as refresh:
        read(refresh)
        observe(refresh)
        build(refresh)
        publish(refresh)


def tables_of(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each published table of content and links, without what tells which refresh it was."""
    snapshots = Snapshots(open_lake(settings).within("tables"))
    current = snapshots.current()
    assert current is not None
    rows = {}
    with open_session("500MB", settings.data_dir / "scratch") as session:
        for name, table in sorted(current.tables.items()):
            if name in TABLES and name.startswith(("coverage.", "links.")):
                session.attach_table("this.read", snapshots.paths(table))
                columns = [column.name for column in TABLES[name].columns if column.name not in _OF_A_REFRESH]
                listed = ", ".join(f'"{column}"' for column in columns)
                rows[name] = session.run(f"select {listed} from this.read order by all")
    return rows


def observed(settings: Settings) -> list[str]:
    """The URLs of the link-check log, one for each of its rows."""
    logs = Logs.of(open_lake(settings))
    with open_session("500MB", settings.data_dir / "scratch", [logs.link_checks]) as session:
        return session.table("select request_url from log.link_checks order by all")["request_url"].to_pylist()


def log_rows(settings: Settings) -> pa.Table:
    """The documents log, without what tells which refresh it was."""
    logs = Logs.of(open_lake(settings))
    with open_session("500MB", settings.data_dir / "scratch", [logs.documents]) as session:
        return session.table(
            "select * exclude (seen_at, refresh_id) from log.documents order by source, path, version_id, status"
        )

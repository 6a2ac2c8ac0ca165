"""Whatever a file holds, the published tables hold it, and every check that could stop a refresh passes."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.checks import blocks, checks_on
from pipeline.coverage import input_providers, input_versions
from pipeline.lake.build import Builder
from pipeline.lake.session import open_session
from pipeline.lake.snapshots import Snapshots
from pipeline.model.logs import REFRESHES
from pipeline.model.urls import SiteBase
from tests.front_matter import documents, exact, item, read_mappings
from tests.published import rebuilt_files

SITES: dict[str, SiteBase | None] = {"s": SiteBase("https://tidewatch.example", "/energy")}
stories = st.builds(
    lambda story, related: story | {"related": related},
    item,
    st.lists(item | st.none() | st.text(max_size=3), max_size=4),
)


def published(rows: pa.Table, folder: Path) -> dict[str, dict[Any, Any]]:
    """The files, by path, as rebuilt from the Parquet files that are made of these rows of the log."""
    with open_session("500MB", folder) as session:
        session.give("log.documents", rows)
        session.give("log.refreshes", REFRESHES.empty_table())
        session.run(
            "create table this.refresh as select 'r' as refresh_id, '2021-06-03T02:00:00Z'::timestamptz as started_at"
        )
        inputs = dict.fromkeys(("log.documents", "log.refreshes", "this.refresh"), "") | input_versions(SITES)
        builder = Builder(session, Snapshots(folder), "r", inputs, input_providers(SITES))
        files = {name: builder.snapshots.path(built.table) for name, built in builder.build("coverage").items()}
        for check in filter(blocks, checks_on("coverage")):
            assert builder.answer(check).num_rows == 0, check.name
    with duckdb.connect() as connection:
        connection.execute("create schema coverage")
        for name, file in files.items():
            connection.execute(f"create view {name} as from read_parquet('{file}')")
        return {path: mapping for (_, path), mapping in rebuilt_files(connection).items()}


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(documents | stories, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_published_tables_rebuild_every_file(mappings: list[dict[Any, Any]], dice: Any) -> None:
    """Stories and other files, main items and related ones, of any types."""
    paths = [f"{dice.choice(['_news', '_people'])}/{number}.md" for number in range(len(mappings))]
    rows = read_mappings(mappings)
    rows = rows.set_column(rows.schema.get_field_index("path"), rows.schema.field("path"), pa.array(paths))
    with tempfile.TemporaryDirectory() as folder:
        found = published(rows, Path(folder))
    assert {path: exact(mapping) for path, mapping in found.items()} == {
        path: exact(mapping) for path, mapping in zip(paths, mappings, strict=True)
    }


EDGES: list[dict[Any, Any]] = [
    {},
    {"related": []},
    {"related": None, "provider": {}, "images": None, "topics": []},
    {"related": [None, "a-slug", {}, {"title": None}, None], "provider": None},
    {"related": {"title": "one bare mapping", 1: "and a key that is no text"}},
    {"related": [{"provider": {"images": [None, {}, "x"]}}, {1: 2}], "images": [{"url": "", "width": 2**40}]},
    {"title": 5, "publishedDateTime": "2021-02-30", "quality": 2**70, "heat": 1.0, "topics": ["a", None, 3]},
    {"a/b": {"~": 1}, "publishedPrecision": "day", "related": ["x", "y"]},
]


def test_the_published_tables_rebuild_what_is_seldom_written(tmp_path: Path) -> None:
    rows = read_mappings(EDGES * 2)
    paths = [f"{folder}/{number}.md" for folder in ("_news", "_people") for number in range(len(EDGES))]
    rows = rows.set_column(rows.schema.get_field_index("path"), rows.schema.field("path"), pa.array(paths))
    found = published(rows, tmp_path)
    assert [exact(found[path]) for path in paths] == [exact(mapping) for mapping in EDGES * 2]

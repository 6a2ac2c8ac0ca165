"""Whatever a file holds, the published tables hold it, and every check that could stop a refresh passes."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.front_matter import documents, exact, item, read_mappings
from tests.published import published, rebuilt_files

stories = st.builds(
    lambda story, related: story | {"related": related},
    item,
    st.lists(item | st.none() | st.text(max_size=3), max_size=4),
)


def rebuilt(rows: pa.Table, paths: list[str]) -> dict[str, dict[Any, Any]]:
    """The files of those rows, as if they lay at `paths`, as the published tables rebuild them."""
    rows = rows.set_column(rows.schema.get_field_index("path"), rows.schema.field("path"), pa.array(paths))
    with tempfile.TemporaryDirectory() as folder, published(rows, Path(folder)) as connection:
        return {path: mapping for (_, path), mapping in rebuilt_files(connection).items()}


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(documents | stories, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_the_published_tables_rebuild_every_file(mappings: list[dict[Any, Any]], dice: Any) -> None:
    """Stories and other files, main items and related ones, of any types."""
    paths = [f"{dice.choice(['_news', '_people'])}/{number}.md" for number in range(len(mappings))]
    found = rebuilt(read_mappings(mappings), paths)
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


def test_the_published_tables_rebuild_what_is_seldom_written() -> None:
    paths = [f"{folder}/{number}.md" for folder in ("_news", "_people") for number in range(len(EDGES))]
    found = rebuilt(read_mappings(EDGES * 2), paths)
    assert [exact(found[path]) for path in paths] == [exact(mapping) for mapping in EDGES * 2]

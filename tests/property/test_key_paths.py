"""The key paths and types that the SQL finds in a row are those of the mapping that was parsed."""

import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.content.values import to_json
from pipeline.lake.relations import relation
from pipeline.lake.session import open_session
from pipeline.model.pointers import step
from tests.front_matter import documents, read_mappings

TYPES = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "timestamp",
    date: "date",
    time: "time",
    bytes: "binary",
    set: "set",
    list: "list",
    dict: "mapping",
    type(None): "null",
}
WALKED = ("staging.typed_keys", "staging.leftover_keys")


def key_paths(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every path in a parsed value, list positions as *, with the type of what stands there."""
    yield pointer, TYPES[type(value)]
    if type(value) is dict:
        for key, element in value.items():
            yield from key_paths(element, pointer + step(key if type(key) is str else to_json(key)))
    elif type(value) is list:
        for element in value:
            yield from key_paths(element, pointer + "/*")


def found(rows: pa.Table) -> set[tuple[object, ...]]:
    with tempfile.TemporaryDirectory() as scratch, open_session("200MB", Path(scratch)) as session:
        session.give("log.documents", rows)
        for name in WALKED:
            session.make(relation(name))
        return {row for name in WALKED for row in session.run(f"select path, pointer, type from {name}")}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(mappings=st.lists(documents, min_size=1, max_size=4))
def test_sql_finds_every_path_of_every_file_and_no_other(mappings: list[dict[Any, Any]]) -> None:
    expected: dict[tuple[str, str], str] = {}
    for number, mapping in enumerate(mappings):
        for path in key_paths(mapping):
            expected.setdefault(path, f"{number}.md")
    rows = found(read_mappings(mappings))
    # A path may come from a column in one file and from a leftover in another: the first file counts.
    assert {(pointer, type_): file for file, pointer, type_ in sorted(rows, reverse=True)} == expected


@pytest.mark.parametrize(
    "mapping",
    [
        {
            "related": [
                {"publishedDateTime": date(2021, 2, 3)},
                {"publishedDateTime": datetime(2021, 2, 3, tzinfo=timezone(timedelta(hours=2)))},
                None,
                "slug",
            ]
        },
        {"related": {"title": "bare", "0": {"x": [1, 1.0]}}},
        {1: "x", "publishedDateTime": date(2021, 2, 3), "related": [{"title": "t", 2: None}]},
        {
            "images": [None, {"url": "u", "5": 1}, 7],
            "provider": {"images": [None], "topics": [1]},
            "topics": [None, 3, "x"],
        },
        {"x": {"a/b~c": {"": [[], {}, [None, True]]}, "0": 2**80, "f": float("nan"), "e": 1e300}},
    ],
)
def test_odd_files_keep_their_paths(mapping: dict[Any, Any]) -> None:
    assert found(read_mappings([mapping])) == {("0.md", *path) for path in key_paths(mapping)}

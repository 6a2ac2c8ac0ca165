"""Front matter that tests make up: any value that a file can hold, documents of them in the archive's shape, the rows
that the reader makes of both, and when two values are exactly equal."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from pipeline.content import Rules, reading
from pipeline.content.parsing import Parsed
from pipeline.content.values import canonical
from tests.reading import read_files

RULES = Rules(frozenset({"secured"}), 1 << 20, 1 << 24)
NOW = datetime(2021, 6, 3, 2, tzinfo=UTC)

texts = st.text(st.characters(codec="utf-8"), max_size=12)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))) | st.just(UTC)
# No language of front matter tells the two folds of an hour apart.
times = st.datetimes(timezones=st.none() | zones).map(lambda moment: moment.replace(fold=0))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(max_size=8), st.dates(), times,
    st.integers(-(2**80), 2**80), st.sampled_from(["$x", "$date", "http://e.org", " https://e.org/a ", ""]),
)  # fmt: skip
keys = st.one_of(
    texts, st.sampled_from(["$a", "$date", "a/b~c", ""]), st.integers(), st.booleans(), st.none(), st.dates()
)
values = st.recursive(
    scalars | st.times().map(lambda moment: moment.replace(fold=0)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(st.integers() | texts | st.none() | st.dates(), max_size=4)
    ),
    max_leaves=12,
)


image = st.fixed_dictionaries(
    {}, optional={"url": scalars, "width": scalars, "isCached": scalars, "title": scalars, "alt": scalars}
)
images = st.one_of(scalars, st.lists(st.one_of(image, scalars), max_size=3))
providers = st.fixed_dictionaries({}, optional={"name": scalars, "domain": texts, "images": images, "x": scalars})
provider = st.one_of(scalars, st.dictionaries(keys, scalars, max_size=2), providers)
fields = {
    "category": scalars, "title": scalars, "excerpt": texts, "publishedDateTime": scalars | times, "webUrl": scalars,
    "originalUrl": texts, "type": scalars, "quality": scalars, "heat": st.integers(), "published": scalars,
    "topics": scalars | st.lists(scalars, max_size=3), "images": images, "provider": provider, "extra/key~": values,
    "secured": texts,
}  # fmt: skip
item = st.fixed_dictionaries({}, optional=fields) | st.dictionaries(keys, scalars, max_size=3)
related = st.one_of(scalars, item, st.lists(st.one_of(item, texts, st.none(), scalars), max_size=3))
documents = st.fixed_dictionaries({}, optional=fields | {"related": related}) | st.dictionaries(
    keys, values, max_size=3
)


def read_contents(contents: Sequence[bytes], suffix: str = ".md") -> pa.Table:
    """The rows of files that hold these bytes, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{number}{suffix}" for number in range(len(contents))]
        for name, content in zip(names, contents, strict=True):
            (Path(folder) / name).write_bytes(content)
        table = read_files(Path(folder), "s", names, RULES, NOW, "r")
        table.validate(full=True)
        return table


def read_mappings(mappings: Sequence[dict[Any, Any]]) -> pa.Table:
    """The rows of files whose front matter is parsed to these mappings, whatever no language could write."""
    parsed = iter(mappings)
    original = reading.parse

    def whole(mapping: dict[Any, Any]) -> Parsed:
        return Parsed(mapping, [], canonical({key: mapping[key] for key in mapping if key != "secured"}))

    reading.parse = lambda front, rules: whole(next(parsed))
    try:
        return read_contents([b"---\n---\n"] * len(mappings))
    finally:
        reading.parse = original


def exact(value: Any) -> Any:
    """A form of `value` that is equal only where types are: 1, 1.0, True and -0.0, 0.0 differ, nan is itself."""
    if isinstance(value, dict):
        return (
            "dict",
            sorted(((repr(exact(key)), exact(element)) for key, element in value.items()), key=lambda pair: pair[0]),
        )
    if isinstance(value, list):
        return ("list", [exact(element) for element in value])
    if isinstance(value, set):
        return ("set", sorted(repr(exact(element)) for element in value))
    if isinstance(value, datetime):
        return ("datetime", value.replace(tzinfo=None), value.utcoffset())
    return (type(value).__name__, repr(value))

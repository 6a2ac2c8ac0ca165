"""Ids are made from content alone, by one rule in two languages."""

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.ids import ID_MACROS, content_id

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_CONNECTION = duckdb.connect()
_CONNECTION.execute(ID_MACROS)


@given(_TEXT, _TEXT)
def test_sql_and_python_make_the_same_id(part: str, other: str) -> None:
    row = _CONNECTION.execute(
        "select content_id('story', $1)::varchar, content_id2('story', $1, $2)::varchar", [part, other]
    ).fetchall()[0]
    assert row == (content_id("story", part), content_id("story", part, other))


@given(_TEXT, _TEXT, _TEXT)
def test_where_one_part_ends_is_part_of_the_id(one: str, two: str, three: str) -> None:
    assert (content_id("t", one + two, three) == content_id("t", one, two + three)) == (two == "")

"""Which texts the fast YAML reader may read, and that both readers read them alike."""

import pytest

from pipeline.content import yaml_reader
from pipeline.content.issues import Refused


@pytest.mark.parametrize(
    "text",
    [
        'title: " &#8220;It&#8217;s a start&#8221; &#8211; no more"\n',
        'title: "Port &amp; Starboard: &x, &y and - &z"\n',
        "title: '&amp; it''s: &x'\n",
        'items:\n  - title: "a: &x"\n    excerpt: "\\"b\\": &y \\\\"\n',
        'topics:\n  - "Wind: &c"\n  - "Wave, !d"\n',
        "name: Port &amp; Starboard\n",
        "name: R &D\n",
        "name: Bonjour !important\n",
        "name: Pourquoi ? Parce que\n",
        "name: 100 %sure\n",
        'name: "[&hellip;]: &x"\ntags: [a, b]\n',
    ],
)
def test_signs_inside_a_text_keep_the_fast_reader(text: str) -> None:
    """The slow one takes ten times as long, and entities stand in every tenth excerpt."""
    assert yaml_reader._is_read_alike(text.encode())
    assert yaml_reader.read_yaml(text.encode()) == yaml_reader._read_reference(text.encode(), 0)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\n",
        "a:\t&x 1\n",
        "- &x 1\n",
        "a: [b, &x c]\n",
        'a: {"b":&x c}\n',
        "a:\n  &x b\n",
        "&x a: 1\n",
        "a: !t b\n",
        "? a\n: b\n",
        "a: %b\n",
        "a: % b\n",
        "a: 1:30_\n",
        "a: -.5\n",
        "a: 2021-02-04T01:02:03z\n",
    ],
)
def test_signs_where_a_value_begins_take_the_reference(text: str) -> None:
    assert not yaml_reader._is_read_alike(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        # What looks like a quoted value is the end of another one, or no value at all; the anchor is real.
        "a: ['foo\n  b: \"', &x baz\"\n  ]\n",
        'a: [foo\n  - "x, &y z"\n  ]\n',
        'foo - "x: &y z"\n',
        'a: ["\'", &x b, "\'"]\n',
        'a: "b\\\n  c: &x d"\n',
    ],
)
def test_a_quote_that_may_be_open_takes_the_reference(text: str) -> None:
    assert not yaml_reader._is_read_alike(text.encode())


def test_a_repeated_anchor_behind_a_false_quote_is_refused() -> None:
    """libyaml refuses it, the fast reader would not."""
    text = "a: ['foo\n  b: \"', &x c\"\n  , &x d]\n"
    with pytest.raises(Refused, match="second occurrence"):
        yaml_reader.read_yaml(text.encode())

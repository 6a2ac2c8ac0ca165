"""Every known difference of the two YAML readers: what yamlrocks makes of a text, what PyYAML does, and what ours does
about it. One that a later version of either no longer shows is to be struck off here, and its rule in the reader."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from pipeline.content import yaml_reader
from pipeline.content.issues import Refused
from tests.front_matter import exact

yamlrocks = pytest.importorskip("yamlrocks", reason="Python 3.11 has PyYAML alone")

REFUSED = "refused"
Difference = tuple[str, Any, Any]
"""The text, what yamlrocks reads and what PyYAML reads."""

READ_AS_PYYAML_DOES: dict[str, Difference] = {
    "a time that ends in a small z": (
        "a: 2021-02-04T01:02:03z\n",
        {"a": datetime(2021, 2, 4, 1, 2, 3, tzinfo=UTC)},
        {"a": "2021-02-04T01:02:03z"},
    ),
    "such a time as a key": (
        "2021-02-04T01:02:03z: a\n",
        {datetime(2021, 2, 4, 1, 2, 3, tzinfo=UTC): "a"},
        {"2021-02-04T01:02:03z": "a"},
    ),
    "minutes that end in an underscore": ("a: 1:30_\n", {"a": 90}, {"a": "1:30_"}),
    "a sign before a point": ("a: -.5\n", {"a": -0.5}, {"a": "-.5"}),
    "an underscore behind a point": ("a: ._5\n", {"a": 0.5}, {"a": "._5"}),
    "a hexadecimal number with a large X": ("a: 0X1F\n", {"a": 31}, {"a": "0X1F"}),
    "a binary number with a large B": ("a: 0B1\n", {"a": 1}, {"a": "0B1"}),
    "an underscore before the x": ("a: 0_x1\n", {"a": 1}, {"a": "0_x1"}),
    "an underscore in an exponent": ("a: 1.5e+_3\n", {"a": 1500.0}, {"a": "1.5e+_3"}),
    "two signs before minutes": ("a: --1:30.5\n", {"a": 29.5}, {"a": "--1:30.5"}),
    "a sign inside minutes": ("a: 1:+30.5\n", {"a": 90.5}, {"a": "1:+30.5"}),
    "three digits of seconds": ("a: 1:030.5\n", {"a": 90.5}, {"a": "1:030.5"}),
    "a question mark that touches its key": ("a: {?b: c}\n", {"a": {"?b": "c"}}, {"a": {"b": "c"}}),
    "a set": ("a: !!set {b}\n", {"a": {"b": None}}, {"a": {"b"}}),
    "a block without its last line break": ("a: |\n  b", {"a": "b\n"}, {"a": "b"}),
    "U+0085, a line break of YAML 1.1": ("a: b\x85  c\n", {"a": "b\x85  c"}, {"a": "b c"}),
    "U+2028, another": ("a: b\u2028  c\n", {"a": "b\u2028  c"}, {"a": "b\u2028c"}),
    "a merge of what is no mapping": ("<<: b\n", {"<<": "b"}, REFUSED),
    "a key that is a list": ("? [b]\n: c\n", {("b",): "c"}, REFUSED),
    "an anchor that stands twice": ("a: &x 1\nb: &x 2\n", {"a": 1, "b": 2}, REFUSED),
    "a tag that nobody knows": ("a: !t b\n", {"a": "b"}, REFUSED),
    "a tag of Python": ("a: !!python/none x\n", {"a": "x"}, REFUSED),
    "a tag that its text does not fit": ("a: !!int x\n", {"a": "x"}, REFUSED),
    "a percent sign where a text begins": ("a: %b\n", {"a": "%b"}, REFUSED),
    "a tab on a line of its own": ("a: 1\n\t\n", {"a": 1}, REFUSED),
    "a tab behind a dash": ("a:\n- \tb\n  c\n", {"a": ["b c"]}, REFUSED),
}
"""yamlrocks would be wrong, so PyYAML reads these. A refusal is a rejected file with PyYAML's words and place."""

READ_AS_TEXT: dict[str, Difference] = {
    "a date that is in no calendar": ("a: 2021-02-30\n", {"a": "2021-02-30"}, REFUSED),
    "an hour that no day has": ("a: 2021-02-03T24:00:00Z\n", {"a": "2021-02-03T24:00:00Z"}, REFUSED),
    "an offset of a whole day": ("a: 2021-02-03 04:05:06 +24:00\n", {"a": "2021-02-03 04:05:06 +24:00"}, REFUSED),
    "an integer without digits": ("a: 0x_\n", {"a": "0x_"}, REFUSED),
    "an integer of 5,000 digits": (f"a: {'1' * 5000}\n", {"a": "1" * 5000}, REFUSED),
    "a lone equals sign": ("a: =\n", {"a": "="}, REFUSED),
    "a lone merge sign": ("a: <<\n", {"a": "<<"}, REFUSED),
    "an ordered mapping": ("a: !!omap [b: 1]\n", {"a": [{"b": 1}]}, {"a": [("b", 1)]}),
}
"""PyYAML raises an error over one scalar, mostly a bare ValueError; no file is lost over that, whichever reads it."""

TAKEN_ALTHOUGH_PYYAML_REFUSES: dict[str, Difference] = {
    "a key without a name": ("a: {: b}\n", {"a": {None: "b"}}, REFUSED),
    "keys without names in a list": ("a:\n- : b\n- :\n", {"a": [{None: "b"}, {None: None}]}, REFUSED),
    "a text on the next line that is not indented": ("a:\nb\n", {"a": "b"}, REFUSED),
    "a key below a quoted element": ('- "a"\n  b: 1\n', ["a", {"b": 1}], REFUSED),
    "a colon inside a text between brackets": ("a: [{b:, c:d}]\n", {"a": [{"b": None, "c:d": None}]}, REFUSED),
}
"""No YAML, but yamlrocks makes something of it, and nothing that PyYAML would read otherwise. To look for such texts
would cost every file dearly."""


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return exact(read())
    except (yaml.YAMLError, ValueError, Refused):
        return REFUSED


def expected(value: Any) -> Any:
    return value if value is REFUSED else exact(value)


def cases(*tables: dict[str, Difference]) -> list[Any]:
    return [pytest.param(*case, id=name) for table in tables for name, case in table.items()]


@pytest.mark.parametrize(
    ("text", "fast", "reference"), cases(READ_AS_PYYAML_DOES, READ_AS_TEXT, TAKEN_ALTHOUGH_PYYAML_REFUSES)
)
def test_the_readers_still_differ(text: str, fast: Any, reference: Any) -> None:
    assert exact(yamlrocks.loads(text.encode(), option=yamlrocks.OPT_PYYAML_COMPAT)) == exact(fast)
    assert outcome(lambda: yaml.load(text, yaml.CSafeLoader)) == expected(reference)
    assert exact(fast) != expected(reference)


@pytest.mark.parametrize(("text", "fast", "reference"), cases(READ_AS_PYYAML_DOES))
def test_ours_reads_it_as_pyyaml_does(text: str, fast: Any, reference: Any) -> None:
    assert outcome(lambda: yaml_reader.read_yaml(text.encode())[0]) == expected(reference)


@pytest.mark.parametrize(("text", "fast", "reference"), cases(READ_AS_TEXT))
@pytest.mark.parametrize("rest", ["", "z: -.5\n"], ids=["fast", "reference"])
def test_ours_reads_it_as_text_whichever_reader_has_it(text: str, fast: Any, reference: Any, rest: str) -> None:
    value, _ = yaml_reader.read_yaml((text + rest).encode())
    assert exact(value) == exact(fast | ({"z": "-.5"} if rest else {}))


@pytest.mark.parametrize(("text", "fast", "reference"), cases(TAKEN_ALTHOUGH_PYYAML_REFUSES))
def test_ours_takes_it(text: str, fast: Any, reference: Any) -> None:
    assert exact(yaml_reader.read_yaml(text.encode())[0]) == exact(fast)

"""What must hold of any front matter: nothing is lost, and a meaning does not depend on how it is written."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.content import path_bytes, path_text, rebuild, semantic_sha256, yaml_reader
from pipeline.content.fence import FrontMatter, split
from pipeline.content.issues import Issue, Refused
from pipeline.content.parsing import parse
from pipeline.content.values import canonical, from_json, to_json
from tests.front_matter import RULES, documents, exact, keys, read_contents, read_mappings, scalars, values
from tests.yaml_texts import LOOKALIKES, hostile_yaml

quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

yaml_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@quick
@given(values)
def test_a_value_comes_back_from_its_json_as_it_was(value: Any) -> None:
    text = to_json(value)
    assert exact(from_json(text)) == exact(value)
    assert to_json(from_json(text)) == text
    json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, 1.0, -0.0]}, '{"a":[true,null,1.0,-0.0],"b":1}'),
        (2**64, "18446744073709551616"),
        (date(2021, 2, 3), '{"$date":"2021-02-03"}'),
        (datetime(2021, 2, 3, 4, tzinfo=UTC), '{"$datetime":"2021-02-03T04:00:00+00:00"}'),
        (time(4, 5), '{"$time":"04:05:00"}'),
        ([float("nan"), float("-inf")], '[{"$float":"nan"},{"$float":"-inf"}]'),
        (b"hi", '{"$binary":"aGk="}'),
        ({"b", "a"}, '{"$set":["a","b"]}'),
        ({2: "x", "1": "y"}, '{"$map":[["1","y"],[2,"x"]]}'),
        ({"$date": "x"}, '{"$map":[["$date","x"]]}'),
        ({"a": "$61.03", "d": date(2021, 2, 3), "n": None}, '{"a":"$61.03","d":{"$date":"2021-02-03"},"n":null}'),
        ('null "$', '"null \\"$"'),
    ],
)
def test_the_json_of_a_value_is_this(value: Any, text: str) -> None:
    assert to_json(value) == text
    assert exact(from_json(text)) == exact(value)


def read_rows(contents: list[bytes], suffix: str = ".md") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_contents(contents, suffix).to_pylist()
    return rows


@quick
@given(st.lists(documents, min_size=1, max_size=3))
def test_a_row_rebuilds_the_parsed_mapping(mappings: list[dict[Any, Any]]) -> None:
    """Whatever the types, through the reader's own columns."""
    rows = read_mappings(mappings).to_pylist()
    assert [row["status"] for row in rows] == ["accepted"] * len(mappings)
    assert [exact(rebuild(row)) for row in rows] == [exact(mapping) for mapping in mappings]


def dumped(mapping: dict[Any, Any]) -> str:
    return yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False)


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), yaml_texts, st.dates()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(yaml_texts, inner, max_size=4),
    max_leaves=12,
)
plain_documents = st.dictionaries(yaml_texts, plain, max_size=5)


@quick
@given(plain_documents)
def test_a_file_is_read_as_pyyaml_reads_it(mapping: dict[str, Any]) -> None:
    front = dumped(mapping)
    [row] = read_rows([f"---\n{front}---\n".encode()])
    assert row["status"] == "accepted", row["issues"]
    assert exact(rebuild(row)) == exact(yaml.load(front, yaml.CSafeLoader))


@quick
@given(plain_documents, st.text("ab \n", max_size=10), st.randoms(use_true_random=False))
def test_line_endings_order_of_keys_and_volatile_keys_are_no_meaning(
    mapping: dict[str, Any], body: str, random: Any
) -> None:
    keys = list(mapping)
    random.shuffle(keys)
    shuffled = {"secured": "other"} | {key: mapping[key] for key in keys}
    content = f"---\n{dumped(mapping)}---\n{body}"
    variants = [content, content.replace("\n", "\r\n"), f"---\n{dumped(shuffled)}---\n{body}", "\ufeff" + content]
    rows = read_rows([variant.encode() for variant in variants])
    assert len({row["semantic_sha256"] for row in rows}) == 1
    assert rows[0]["semantic_sha256"] == semantic_sha256(mapping, body, RULES)


@quick
@given(st.lists(plain_documents, min_size=2, max_size=4, unique_by=to_json), plain_documents)
def test_the_order_of_related_is_a_meaning(related: list[dict[str, Any]], mapping: dict[str, Any]) -> None:
    forward = semantic_sha256(mapping | {"related": related}, "", RULES)
    assert forward != semantic_sha256(mapping | {"related": related[::-1]}, "", RULES)


@quick
@given(st.binary(max_size=40))
def test_any_bytes_give_a_row(content: bytes) -> None:
    rows = read_rows([content, b"---\n" + content + b"\n---\n", b"+++\n" + content + b"\n+++\n"])
    rows += read_rows([content], ".json") + read_rows([content], ".yaml") + read_rows([content], ".toml")
    assert {row["status"] for row in rows} <= {"accepted", "rejected", "skipped"}


PARTS = [
    "a: ",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    "? ",
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    ">",
    "|\n",
    "~",
    "1:30",
    "012",
    ".5",
]
PARTS += ["-", "é", "2021-02-30", "*a", "&a ", "!", "%", "z", "_", "\r", "<<: ", "=", "\t", "\u2028", "\ufeff"]


PROSE = [
    "x",
    " ",
    "&#8220;",
    " &amp; ",
    "& ",
    ": &x ",
    ", &x ",
    "- !y ",
    " ? ",
    " 100 % ",
    "%z ",
    "1:30_",
    " -.5",
    "''",
    '\\"',
]
PROSE += ["[", "]", "{", "}", "#", " # ", "\\\\", "é", ":"]
prose = st.lists(st.sampled_from(PROSE), max_size=5).map("".join)
quoted = prose.map('"{}"'.format) | prose.map("'{}'".format)
entries = st.tuples(
    st.sampled_from(["{}: ", "- {}: ", "  {}: ", "  - ", "- ", "    ", "{}: ["]),
    quoted | prose,
    st.sampled_from(["", "", "]", ", "]),
).map("".join)
laden = st.lists(entries, min_size=1, max_size=6).map(
    lambda lines: [line.replace("{}", f"k{n}", 1) for n, line in enumerate(lines)]
)


def outcome(read: Callable[[bytes], tuple[Any, list[Issue]]], text: bytes) -> tuple[str, Any]:
    """Whether a reader takes the text, and what it reads or why it does not."""
    try:
        return "taken", exact(read(text)[0])
    except Refused as refused:
        return "refused", refused.issue.code


def both_readers_agree(text: str) -> None:
    """One document of YAML is read as PyYAML reads it, and refused where it refuses it; but what is no YAML at all may
    be taken, as the last table of test_yaml_differences.py shows."""
    try:
        front = split(text.encode(), ".yaml", 1 << 20).text.replace(b"\r\n", b"\n")
    except Refused:  # several documents are no reader's business
        return
    found = outcome(yaml_reader.read_yaml, front)
    expected = outcome(lambda text: yaml_reader._read_reference(text, 0), front)
    if found[0] == "taken" and expected[0] == "refused":
        assert expected[1] == "invalid_syntax"
    elif found[0] == "taken" or expected[0] == "taken":
        assert found == expected


@quick
@given(st.lists(st.sampled_from(PARTS), max_size=9))
def test_both_yaml_readers_give_the_same_value(parts: list[str]) -> None:
    both_readers_agree("k: " + "".join(parts) + "\n")


@settings(quick, max_examples=500)
@given(laden)
def test_both_yaml_readers_agree_over_prose_full_of_signs(lines: list[str]) -> None:
    """Entities, ampersands and the other signs, between quotes that end on their line, end later, or are none."""
    both_readers_agree("\n".join(lines) + "\n")


@settings(quick, max_examples=400)
@given(hostile_yaml())
def test_both_yaml_readers_agree_over_hostile_texts(text: str) -> None:
    """Every implicit type and look-alike, quoted, in blocks and between brackets, with anchors, comments, tabs, strange
    line breaks and document markers."""
    both_readers_agree(text)


NUMBERS = st.text("0123456789" * 2 + "__..::--++eExXbBoTZ ", min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(quick, max_examples=400)
@given(st.lists(NUMBERS | st.sampled_from(LOOKALIKES), min_size=1, max_size=8))
def test_both_yaml_readers_tell_numbers_and_times_from_texts_alike(scalars: list[str]) -> None:
    for scalar in scalars:
        both_readers_agree(f"a: {scalar}\n")
        both_readers_agree(f"- {scalar}\n")
        both_readers_agree(f"a: [{scalar}, {scalar}]\n")


@pytest.mark.parametrize("scalar", LOOKALIKES)
def test_both_yaml_readers_read_a_lookalike_alike_wherever_it_stands(scalar: str) -> None:
    for text in ("a: {}", "- {}", "a: [{}]", "a: {{b: {}}}", "{}: a", "a: [x, {} ]", "a: {} # c", "a:\n  {}", "- - {}"):
        both_readers_agree(text.format(scalar) + "\n")


@quick
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.tuples(quoted, quoted), min_size=1, max_size=5))
def test_signs_between_quotes_that_end_on_their_line_take_the_fast_reader(entries: dict[str, tuple[str, str]]) -> None:
    lines = [f"{key}:\n  - p: {first}\n    q: {second}\n" for key, (first, second) in entries.items()]
    text = "".join(lines).encode()
    assert yaml_reader._is_read_alike(text)
    both_readers_agree(text.decode())


@quick
@given(st.binary(max_size=12))
def test_the_text_of_a_path_leads_back_to_its_bytes(raw: bytes) -> None:
    text = path_text(raw)
    assert path_bytes(text) == raw
    text.encode()


plain_values = st.recursive(
    st.one_of(scalars, st.sampled_from(["a: b", "10:30", "https://e.org/", ":", "::", "x:\ny", "'", '"'])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@quick
@given(st.dictionaries(keys, plain_values, max_size=4), st.booleans(), st.sampled_from([None, '"', "'"]))
def test_the_cheap_reading_is_the_careful_one(mapping: dict[str, Any], flow: bool, style: str | None) -> None:
    text = yaml.safe_dump(mapping, allow_unicode=True, default_flow_style=flow, default_style=style).encode()
    front = FrontMatter("yaml", text, 0, "")
    try:
        value, issues = yaml_reader.read_yaml(text)
        lasting = canonical({key: value[key] for key in value if key != "secured"})
    except Refused:
        return
    assert parse(front, RULES).lasting == lasting
    assert parse(front, RULES).issues == issues


@quick
@given(st.dictionaries(keys, plain_values, min_size=1, max_size=4), st.data())
def test_no_key_that_stands_twice_gets_past_the_cheap_look(mapping: dict[str, Any], data: st.DataObject) -> None:
    """Wherever it stands, whatever stands behind it."""
    again = data.draw(st.sampled_from(list(mapping)))
    parts = [yaml.safe_dump({key: value}, allow_unicode=True) for key, value in mapping.items()]
    parts.append(yaml.safe_dump({again: data.draw(plain_values)}, allow_unicode=True))
    nested = data.draw(st.booleans())
    text = "".join("".join(f"  {line}\n" for line in part.split("\n")[:-1]) if nested else part for part in parts)
    front = FrontMatter("yaml", (f"outer:\n{text}" if nested else text).encode(), 0, "")
    try:
        issues = parse(front, RULES).issues
    except Refused:
        return
    assert [issue.code for issue in issues] == ["duplicate_key"]

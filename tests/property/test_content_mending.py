"""Whatever a file holds, a change of its URLs is that and nothing else, and can be taken back."""

import json
import re
from typing import Any

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.content.mending import Change, mend
from pipeline.content.values import to_json
from pipeline.content.yaml_reader import Loader
from tests.front_matter import RULES

URLS = st.sampled_from(["https://a.example/x", "http://b.example/?q=1&amp;r=2", " https://c.example/é,ü ", "/d.png"])
NEW = st.from_regex(r"https://[a-z]{1,3}\.example/[ -~\u00a0-\u0fff🌊]{0,8}", fullmatch=True).filter(
    lambda url: url == url.strip()
)
KEYS = st.text("abé/~: #", min_size=1, max_size=3)
VALUES = st.recursive(
    URLS | st.integers() | st.booleans() | st.text("ab \n:#'\"\\", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def uses(value: Any, pointer: str = "") -> list[tuple[str, str]]:
    """Pointer and text of each URL."""
    if isinstance(value, str):
        return [(pointer, value)] if value.strip()[:4] == "http" else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        use
        for key, child in children
        for use in uses(child, pointer + "/" + str(key).replace("~", "~0").replace("/", "~1"))
    ]


def changed(value: Any, texts: dict[str, str], pointer: str = "") -> Any:
    if isinstance(value, dict):
        steps = {key: pointer + "/" + key.replace("~", "~0").replace("/", "~1") for key in value}
        return {key: changed(child, texts, steps[key]) for key, child in value.items()}
    if isinstance(value, list):
        return [changed(child, texts, f"{pointer}/{index}") for index, child in enumerate(value)]
    return texts.get(pointer, value)


@given(
    MAPPINGS,
    NEW,
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([None, True, False]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_yaml_of_any_style(
    mapping: dict[str, Any], url: str, style: Any, flow: Any, line_end: str, unicode: bool
) -> None:
    front = yaml.safe_dump(mapping, default_style=style, default_flow_style=flow, allow_unicode=unicode, width=10**6)
    assume("\n---" not in front and "\n..." not in front)
    content = f"---\n{front}---\nbody\n".replace("\n", line_end).encode()
    assert_only_urls_change(content, yaml.load(front, Loader), url, "a.md")


@given(MAPPINGS, NEW, st.booleans(), st.sampled_from([None, 2]))
@settings(max_examples=60, deadline=None)
def test_json_of_any_style(mapping: dict[str, Any], url: str, ascii_only: bool, indent: int | None) -> None:
    content = json.dumps(mapping, ensure_ascii=ascii_only, indent=indent).encode()
    assert_only_urls_change(content, mapping, url, "a.json")


def assert_only_urls_change(content: bytes, mapping: Any, url: str, path: str) -> None:
    changes = [Change(pointer, raw, url) for pointer, raw in uses(mapping)]
    result = mend(path, content, changes, RULES)
    assert {change for change in changes if change not in result.made} == {each.change for each in result.refused}
    written = {change.pointer: change.text for change in result.made}
    again = mend(path, result.content, (), RULES)
    assert again.content == result.content
    read = json.loads(result.content) if path == "a.json" else _front(result.content)
    assert to_json(read) == to_json(changed(mapping, written))
    assert path != "a.json" or not result.refused


def _front(content: bytes) -> Any:
    found = re.fullmatch(rb"---\r?\n(.*)---\r?\nbody\r?\n", content, re.DOTALL)
    assert found is not None
    return yaml.load(found[1].replace(b"\r\n", b"\n"), Loader)

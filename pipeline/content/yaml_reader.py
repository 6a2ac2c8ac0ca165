"""YAML as PyYAML reads it, about ten times faster where that is safe.

yamlrocks (Python 3.12 and later) reads what it is known to read alike. PyYAML's C loader is the reference: it reads
all the rest, all of it on Python 3.11, and has the last word on what is an error and where. It has no bounds of its own
(50,000 levels crash it, a few aliases expand to gigabytes), so depth and expansion are counted before it may construct
anything. Departures from PyYAML are listed at `Loader`; each known difference of the two readers is a named case of
tests/unit/test_yaml_differences.py.
"""

import re
from typing import Any

import yaml

from pipeline.content.issues import Issue, Refused, line_of, refuse
from pipeline.content.values import to_json
from pipeline.model.pointers import step

try:
    import yamlrocks
except ImportError:  # Python 3.11
    yamlrocks = None  # type: ignore[assignment,unused-ignore]

# Where the two readers differ silently, PyYAML reads: a sign, and what must stand there.
_NODE_SIGNS = (
    (b"!", re.compile(rb"!")),  # a tag
    (b"&", re.compile(rb"&\S")),  # an anchor: libyaml refuses a repeated one; aliases are to be counted
    (b"%", re.compile(rb"%")),  # no plain scalar may begin with it
    (b"?", re.compile(rb"\?")),  # a key's sign where a text runs over the line; inside braces even without a space
    (b"<", re.compile(rb"<<")),  # a merge key: only libyaml refuses to merge what is no mapping
)
"""What means something only where a node begins: in the middle of a text they are letters."""
_NODE_START = frozenset(b"\n\r[{,:")
# Behind a node that has ended nothing may begin: what it is then, PyYAML says.
_NODE_START_AFTER_SPACE = _NODE_START | frozenset(b"-?\"']}")
_TIME_SIGN = re.compile(rb"z[\s,\]}:](?<=[\d. \t]z.)", re.DOTALL)  # 2021-02-04T01:02:03z is no time for PyYAML
_NUMBER_SIGNS = (
    (b"_", re.compile(rb"_(?<=[\d.:eExXbB+_-]_)")),  # 1:30_, ._5, 0_x1 and 1.5e+_3 are no numbers for it, 0x_ is none
    (  # nor are -.5, --1:30.5, 1:+30.5 and 1:030.5; but the seconds of a time have a fraction
        b".",
        re.compile(
            rb"\.(?:(?<=[-+]\.)(?=\d)"
            rb"|(?<=\d\.)(?:(?<=:.\.)|(?<=:..\.)|(?<=:...\.)|(?<=:....\.)|(?<=:.....\.))"
            rb"(?<!\d\d\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d\.))"
        ),
    ),
    (b"X", re.compile(rb"X(?<=0X)")),  # 0X1F is a text for it, and so is 0B1
    (b"B", re.compile(rb"B(?<=0B)")),
)
"""What means something only in a text made of the letters of numbers."""
_NUMBER_LETTERS = frozenset(b"0123456789.:eExXbB+-_")
_NUMBER_START = frozenset(b"\n\r\t [{,:-?")
_QUOTED = rb"""(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\n]*+(?:''[^'\n]*+)*+')"""
_QUOTED_VALUE = re.compile(rb": " + _QUOTED + rb"\n")
_QUOTED_ELEMENT = re.compile(rb"^ *- " + _QUOTED + rb"\n", re.MULTILINE)
_OPENING_QUOTE = re.compile(rb"""["'](?<![^\s\[{,:]["'])""")
_ANCHOR = re.compile(rb"&(?<![^\s\[{,:]&)\S")
# YAML 1.1 breaks lines at the first three; the last is a byte order mark, which only libyaml passes over.
_REFERENCE_ONLY_SIGNS = tuple(sign.encode() for sign in ("\x85", "\u2028", "\u2029", "\ufeff"))
_TAB_BEFORE_NODE = re.compile(rb"(?:\A|[\s:?,\[{-])\t")  # as indentation libyaml refuses it, here and there
_INDENT = re.compile(rb"(?:^|(?<=\n))[ \t?:-]+")

_UNREADABLE_INTEGER = re.compile(r"[-+]?(?:0[bx]_+|[\d_:]+)")  # without digits, or with too many for Python

_MAX_LEVELS = 300  # canonical JSON refuses deeper than 254
_MIN_EXPANSION = 1_000_000
_EXPANSION = 16  # an honest file may repeat itself this often


def read_yaml(text: bytes, lines_before: int = 0) -> tuple[Any, list[Issue]]:
    """The value of the one document in `text`, and its duplicate keys.

    Places of a refusal count from the start of `text`, those of issues from `lines_before` lines above it.
    """
    value = _read_fast(text, _UNIQUE_KEYS)
    return _read_reference(text, lines_before) if value is None else (value, [])


def read_unchecked_yaml(text: bytes) -> Any:
    """The value of the one document in `text`, where it can be read fast; None where it cannot. Of keys that stand
    twice the last one counts: nobody has looked for them."""
    return _read_fast(text, _FAST)


def _read_fast(text: bytes, option: int) -> Any:
    if yamlrocks is not None and _is_read_alike(text):
        try:
            return yamlrocks.loads(text, option=option, tag_handler=_tag_seen)
        except yamlrocks.YAMLRocksParseError as error:
            if "maximum nesting depth" in error.message:
                raise refuse("too_deep", f"YAML: {error.message}") from None
            if "too many nodes" in error.message:
                raise refuse("alias_bomb", f"YAML: {error.message}", error.line, error.column) from None
        except (yamlrocks.YAMLRocksError, _TagSeen):
            pass
    return None


if yamlrocks is not None:
    _FAST = yamlrocks.OPT_PYYAML_COMPAT | yamlrocks.OPT_REJECT_COMPLEX_KEYS
    _UNIQUE_KEYS = _FAST | yamlrocks.OPT_DUPLICATE_KEYS_ERROR
else:
    _FAST = _UNIQUE_KEYS = 0


def _is_read_alike(text: bytes) -> bool:
    if not text.endswith(b"\n"):  # they differ over the end of a block scalar
        return False
    if b"\t" in text and _TAB_BEFORE_NODE.search(text):
        return False
    # The last byte alone is a cheap look before the close one.
    if not text.isascii() and any(sign[-1] in text and sign in text for sign in _REFERENCE_ONLY_SIGNS):
        return False
    return not _has_sign(text) or _has_signs_in_quotes_alone(text)


def _has_sign(text: bytes) -> bool:
    for mark, pattern in _NODE_SIGNS:
        at = text.find(mark)
        while at >= 0:
            if _may_begin_node(text, at) and pattern.match(text, at):
                return True
            at = text.find(mark, at + 1)
    if _TIME_SIGN.search(text):
        return True
    return any(
        _is_odd_number(text, sign.start())
        for mark, pattern in _NUMBER_SIGNS
        if mark in text
        for sign in pattern.finditer(text)
    )


def _is_odd_number(text: bytes, at: int) -> bool:
    start = at
    while start > 0 and text[start - 1] in _NUMBER_LETTERS:
        start -= 1
    return start == 0 or text[start - 1] in _NUMBER_START


def _may_begin_node(text: bytes, at: int) -> bool:
    before = at - 1
    while before >= 0 and text[before] in b" \t":
        before -= 1
    return before < 0 or text[before] in (_NODE_START if before == at - 1 else _NODE_START_AFTER_SPACE)


def _has_signs_in_quotes_alone(text: bytes) -> bool:
    """Whether no sign is left without the quoted values that end on their line.

    Only a quote left open could make something else of a quoted value, so nothing that may be one is left either. An
    element of a list is no quoted one where a text inside brackets runs over the line: it counts without brackets only.
    """
    bare = _QUOTED_VALUE.sub(b":\n", text)
    if b"[" not in bare and b"{" not in bare:
        bare = _QUOTED_ELEMENT.sub(b"-\n", bare)
    return not _OPENING_QUOTE.search(bare) and not _has_sign(bare)


class _TagSeen(Exception):  # noqa: N818  a signal
    pass


def _tag_seen(*_: object) -> None:
    raise _TagSeen


class Loader(yaml.CSafeLoader):
    """PyYAML's safe loader, except that a file is not lost over one scalar.

    A date that is in no calendar (2021-02-30) is the text it is written as, like every other scalar without a type; so
    are an integer without digits (0x_) or with too many, a lone `=` and `<<`. `!!omap` and `!!pairs` are the lists of
    mappings that they are without the tag.
    """

    shortened = False

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            self.shortened = True
        return mapping

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_int(node)
        except ValueError:
            if _UNREADABLE_INTEGER.fullmatch(node.value):
                return node.value
            raise  # tagged by hand


for _tag, _constructor in {
    "int": Loader.construct_yaml_int,
    "timestamp": Loader.construct_yaml_timestamp,
    "value": Loader.construct_yaml_str,
    "merge": Loader.construct_yaml_str,
    "omap": Loader.construct_yaml_seq,
    "pairs": Loader.construct_yaml_seq,
}.items():
    Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _constructor)


def _read_reference(text: bytes, lines_before: int) -> tuple[Any, list[Issue]]:
    try:
        if _may_be_deep(text) or _ANCHOR.search(text):
            _bound(text)
        loader = Loader(text)
        try:
            value = loader.get_single_data()
            return value, _duplicates(text, lines_before) if loader.shortened else []
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _refusal(error, text) from None
    except (Refused, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001  PyYAML lets ValueError, KeyError, IndexError and others through
        raise refuse("unsupported_value", f"YAML: a value cannot be read: {error}") from None


def _may_be_deep(text: bytes) -> bool:
    """Whether `text` could nest over the bound: a flow level needs a bracket, a block level a column."""
    brackets = text.count(b"[") + text.count(b"{")
    columns = max((len(indent) for indent in _INDENT.findall(text)), default=0)
    return brackets + 2 * columns > _MAX_LEVELS - 10


def _bound(text: bytes) -> None:
    """Refuses text that is nested too deeply or that its aliases expand too far, by its events alone."""
    budget = max(_MIN_EXPANSION, _EXPANSION * len(text))
    weights: dict[str, int | None] = {}  # None while the anchor's node is open
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, yaml.AliasEvent):
            assert event.anchor is not None
            weight = weights.get(event.anchor, 0)
            if weight is None:
                raise refuse("unsupported_value", "YAML: a value contains itself", line, column, line_of(text, line))
            total += weight
        elif isinstance(event, yaml.ScalarEvent):
            total += 1 + len(event.value)
            if event.anchor:
                weights[event.anchor] = 1 + len(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_nodes) >= _MAX_LEVELS:
                raise refuse("too_deep", f"YAML: nested deeper than {_MAX_LEVELS} levels")
            open_nodes.append((event.anchor, total))
            total += 1
            if event.anchor:
                weights[event.anchor] = None
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                weights[anchor] = total - before
        if total > budget:
            raise refuse("alias_bomb", f"YAML: aliases expand to more than {budget:,} characters", line, column)


def _duplicates(text: bytes, lines_before: int) -> list[Issue]:
    """Every key that stands twice in one mapping, with the value that the later one replaced."""
    issues = []
    loader = Loader(text)
    try:
        pending = [("", loader.get_single_node())]
        visited: set[int] = set()
        while pending:
            pointer, node = pending.pop()
            if id(node) in visited:
                continue
            visited.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                pending.extend((f"{pointer}/{position}", element) for position, element in enumerate(node.value))
            elif isinstance(node, yaml.MappingNode):
                values: dict[Any, yaml.Node] = {}
                for key_node, value_node in node.value:
                    if key_node.tag == "tag:yaml.org,2002:merge":
                        continue
                    key = loader.construct_object(key_node, deep=True)
                    place = pointer + step(key)
                    if key in values:
                        mark = key_node.start_mark
                        issues.append(
                            Issue(
                                "duplicate_key",
                                f"the key {key!r} stands twice; the last value counts",
                                place,
                                mark.line + 1 + lines_before,
                                mark.column + 1,
                                to_json(loader.construct_object(values[key], deep=True)),
                            )
                        )
                    values[key] = value_node
                    pending.append((place, value_node))
    finally:
        loader.dispose()
    return sorted(issues, key=lambda issue: (issue.line, issue.column))


def _refusal(error: yaml.YAMLError, text: bytes) -> Refused:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        problem = error.problem or error.context or "not valid"
        raw = line_of(text, line) if line else ""
        if not raw and error.context_mark:  # the end of the text: tell what was begun and never ended
            raw = line_of(text, error.context_mark.line + 1)
        return refuse(_code(error, problem), f"YAML: {problem}", line, column, raw)
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        problem = f"{error.reason} (U+{error.character:04X})" if isinstance(error.character, int) else error.reason
        return refuse("invalid_syntax", f"YAML: {problem}", line, column, line_of(text, line))
    return refuse("invalid_syntax", f"YAML: {error}")


def _code(error: yaml.MarkedYAMLError, problem: str) -> str:
    if "could not determine a constructor" in problem:
        return "unsupported_tag"
    if error.context and "expected a single document" in error.context:
        return "several_documents"
    return "unsupported_value" if isinstance(error, yaml.constructor.ConstructorError) else "invalid_syntax"

"""Other URLs in a file's front matter, and not a byte else."""

import pytest

from pipeline.content.mending import Change, mend
from tests.front_matter import RULES

OLD = "https://a.example/x"
NEW = "https://b.example/y?a=1&b=2"


def mended(text: str, *changes: Change, path: str = "a.md") -> tuple[str, list[str]]:
    """The file with the changes, and why the others were refused."""
    result = mend(path, text.encode(), changes, RULES)
    assert len(result.made) + len(result.refused) == len(set(changes))
    return result.content.decode(), [refusal.reason for refusal in result.refused]


def change(pointer: str = "/u", raw: str = OLD, url: str = NEW) -> Change:
    return Change(pointer, raw, url)


@pytest.mark.parametrize(
    "value",
    [
        "%",
        "%   # https://a.example/x",
        '"%"',
        "'%'",
        "&anchor %",
        "!!str '%'",
        "&anchor !!str\n  '%' # behind both",
        "|\n  %",
        "|-\n  %\n\n",
        ">+  # https://a.example/x\n\n  %\n",
        "|2\n  %",
        '["%", z]',
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_yaml_keeps_its_style_its_comments_and_its_line_endings(value: str, line_end: str, mark: str) -> None:
    """Behind an anchor or a tag, in quotes or a block, beside the same URL in a comment."""
    pattern = f"{mark}---\n# {OLD}\nk: é ☂ 🌊\nu: {value}\nother: {OLD}\nz:   1\n---\nBody {OLD}\n"
    pattern = pattern.replace("\n", line_end)
    pointer = "/u/0" if value.startswith("[") else "/u"
    raw = OLD + ("\n" if value[:2] in ("|\n", "|2") else "\n\n" if value.startswith(">+") else "")
    if value.startswith(">+"):
        raw = "\n" + OLD + "\n\n"
    text = pattern.replace("%", OLD)
    assert mended(text, change(pointer, raw)) == (pattern.replace("%", NEW), [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\nu: https://a.example/x\n---\n", "---\nu: https://b.example/1,2\n---\n"),
        ("---\n{u: https://a.example/x}\n---\n", "---\n{u: 'https://b.example/1,2'}\n---\n"),
        ('---\n{u: "https://a.example/x"}\n---\n', '---\n{u: "https://b.example/1,2"}\n---\n'),
    ],
)
def test_a_plain_text_is_quoted_where_the_new_one_could_not_be_plain(before: str, after: str) -> None:
    """A comma ends a text inside brackets, and nowhere else."""
    assert mended(before, change(url="https://b.example/1,2")) == (after, [])


@pytest.mark.parametrize(
    ("written", "new", "result"),
    [
        ("'%'", "it's", "'it''s'"),
        ("'%'", "a\tb", '"a\\u0009b"'),
        ('"%"', 'a"b\\c', '"a\\"b\\\\c"'),
        ('"%"', "a\u2028b\u00e9🌊", '"a\\u2028bé🌊"'),
        ("%", "a: b", "'a: b'"),
        ("%", "a #b", "'a #b'"),
        ("%", "123", "'123'"),
        ("%", "it's: so", '"it\'s: so"'),
    ],
)
def test_any_text_is_escaped_as_its_style_wants_it(written: str, new: str, result: str) -> None:
    text = f"---\nu: {written.replace('%', OLD)} # c\n---\n"
    assert mended(text, change(url=new)) == (f"---\nu: {result} # c\n---\n", [])


@pytest.mark.parametrize(
    ("path", "before", "pointer", "after"),
    [
        ("a.md", '{"u": ["x", "%"],\r\n "é": 1}\r\nBody', "/u/1", "%"),
        ("a.json", '{"u": {"a/b~c": "%"}, "k": 1e2}', "/u/a~1b~0c", "%"),
        ("a.json", '{"u": 1, "u": "%"}', "/u", "%"),
        ("a.json", '{ "a" : [ ] , "b" : { } , "u" : [ true , "%" ] }', "/u/1", "%"),
        ("a.yaml", "# c\n--- # d\nu: %\n...\n", "/u", "%"),
        ("a.md", "---  \nu: %\n...\nBody", "/u", "%"),
        ("a.md", '+++\nu = "%" # https://a.example/x\n+++\nBody', "/u", "%"),
        ("a.md", "+++\r\nk = 1\r\nu = '%'\r\n+++\r\nBody", "/u", "%"),
        ("a.toml", "[[u]]\nv = 'https://a.example/x'\n[[u]]\nv = { w = [ 'x', \"%\" ] }\n", "/u/1/v/w/1", "%"),
        ("a.toml", "'u' = '''\n%'''\n", "/u", "%"),
        ("a.toml", 'u = """%"""\n"# no" = "comment"\n', "/u", "%"),
        ("a.toml", "d = 2021-02-03\nu = '%'\nt = 'it#s'\n", "/u", "%"),
    ],
)
def test_json_and_toml_keep_theirs(path: str, before: str, pointer: str, after: str) -> None:
    result = mended(before.replace("%", OLD), change(pointer), path=path)
    assert result == (before.replace("%", after.replace("%", NEW)), [])


def test_json_escapes_slashes_where_it_did() -> None:
    assert mended('{"u": "https:\\/\\/a.example\\/x"}', change(url="https://b.example/é")) == (
        '{"u": "https:\\/\\/b.example\\/\\u00e9"}',
        [],
    )


def test_entities_and_white_space_around_a_url_stay() -> None:
    raw = " https://a.example/x?a=1&#038;b=2 "
    assert mended(f"---\nu: '{raw}'\n---\n", change(raw=raw)) == (
        "---\nu: ' https://b.example/y?a=1&#038;b=2 '\n---\n",
        [],
    )


def test_a_query_that_would_be_read_as_an_entity_is_escaped() -> None:
    assert mended(f"---\nu: {OLD}\n---\n", change(url="https://b.example/?a=1&copy;=2"))[0] == (
        "---\nu: https://b.example/?a=1&amp;copy;=2\n---\n"
    )


def test_a_value_of_an_alias_is_changed_only_with_all_that_share_it() -> None:
    text = f"---\nu: &a {OLD}\nv: *a\nb: &b {{w: {OLD}}}\nc:\n  <<: *b\n---\n"
    told = "another value would change with it: they share an anchor or a merge key"
    assert mended(text, change("/u"), change("/c/w")) == (text, [told, told])
    both = [change("/u"), change("/v"), change("/c/w"), change("/b/w")]
    assert mended(text, *both) == (text.replace(OLD, NEW), [])


def test_what_can_be_changed_is_changed_beside_what_cannot() -> None:
    text = f"---\nu: &a {OLD}\nv: *a\nw: {OLD}\nx: >-\n  {OLD}\n  more\n---\n"
    result, reasons = mended(text, change("/u"), change("/w"), change("/x", f"{OLD} more"))
    assert result == text.replace(f"w: {OLD}", f"w: {NEW}")
    assert len(reasons) == 2


@pytest.mark.parametrize(
    ("text", "pointer", "reason"),
    [
        ("---\nu: other\n---\n", "/u", "no text of that value stands there"),
        ("---\nu: 1\n---\n", "/u", "no text of that value stands there"),
        ("---\nv: 1\n---\n", "/u/0", "no text of that value stands there"),
        ("---\nu: |\n  a\n  b\n---\n", "/u", "no text of that value stands there"),
        ("---\nu: [\n---\n", "/u", "the file is not accepted: YAML: "),
        ("nothing", "/u", "the file is not accepted: the file does not begin with front matter"),
        ("", "/u", "the file is not accepted: the file is empty"),
        ('{"v": 1}', "/u", "no text stands there"),
        ("+++\nu = 'other'\n+++\n", "/u", "no text of that value stands there"),
        ("+++\n'https://a.example/x' = 1\nu = 1\n+++\n", "/u", "no text of that value stands there"),
        ("+++\nu = '''\nhttps://a.example/x'''\n+++\n", "/u", "a sign of it cannot stand in a block of text"),
    ],
)
def test_what_does_not_stand_there_is_refused(text: str, pointer: str, reason: str) -> None:
    result, reasons = mended(text, change(pointer, url="https://b.example/it's"))
    assert result == text
    assert reasons[0].startswith(reason)


def test_a_file_that_is_no_utf8_is_refused() -> None:
    content = b"---\nu: https://a.example/x\nv: \xff\n---\n"
    result = mend("a.md", content, [change()], RULES)
    assert (result.content, len(result.refused)) == (content, 1)

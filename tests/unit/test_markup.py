"""The links that a body holds, as its language has them, and where they begin."""

import pytest

from pipeline.coverage.markup import links_in
from pipeline.model.urls import url_forms

ONE = "https://a.example/1"

MARKDOWN = {
    "a link": (f"See [one]({ONE} 'Title').", [ONE]),
    "an image": (f"![One]({ONE})", [ONE]),
    "a linked image": ("[![x](/i.png)](/page)", ["/page", "/i.png"]),
    "an address in brackets": (f"<{ONE}>", [ONE]),
    "a reference": (f"[one], [two][one], [three][]\n\n[One]: {ONE}\n[three]: /3", [ONE, ONE, "/3"]),
    "a reference that nobody uses": (f"[one]: {ONE}", []),
    "signs that Markdown escapes": (r"[x](/a\_b) [y](</a b>) [z](/a(b)c)", ["/a_b", "/a b", "/a(b)c"]),
    "HTML in a line": ('text <a class="x" href="/a">a</a> and <img src=/b.png>', ["/a", "/b.png"]),
    "HTML in a block": ('<div>\n<a\n  href="/a">a</a></div>\n\n[b](/b)', ["/a", "/b"]),
    "HTML in a list": ('- x\n\n  <p><a href="/a">a</a></p>', ["/a"]),
    "a table": ("| a | b |\n|---|---|\n| [x](/x) | [y](/y) |", ["/x", "/y"]),
    "code": ("`[x](/x)`\n\n```\n[y](/y)\n```\n\n    [z](/z)\n\n<code>[in](/in)</code>", ["/in"]),
    "a comment": ("<!-- [x](/x) <a href='/y'> -->", []),
    "a bare address": (f"{ONE} is not linked", []),
    "a heading, a quote, a list": ("# [h](/h)\n\n> [q](/q)\n\n1. [l](/l)", ["/h", "/q", "/l"]),
    "a footnote": ("Text.[^1]\n\n[^1]: See [it](/it).", ["/it"]),
    "a backslash before the bracket": (r"\[x](/x)", []),
}
HTML = {
    "links": ('<a href="/a">a</a> <area href="/b"><link rel="stylesheet" href="/c">', ["/a", "/b", "/c"]),
    "what is shown": (
        '<img src="/a"><iframe src="/b"></iframe><video src="/c" poster="/d"></video><audio src="/e"></audio>',
        ["/a", "/b", "/c", "/d", "/e"],
    ),
    "what is run or embedded": (
        '<embed src="/f"><object data="/g"></object><script src="/h"></script><track src="/i"><frame src="/j">',
        ["/f", "/g", "/h", "/i", "/j"],
    ),
    "images for several screens": (
        '<img src="/a.png" srcset="/a.png 1x, /b,c.png 2x,/d.png"><source srcset="/e.png">',
        ["/a.png", "/a.png", "/b,c.png", "/d.png", "/e.png"],
    ),
    "the first of an attribute counts": ('<a href="/a" href="/b">', ["/a"]),
    "no quotes, capitals": ("<A HREF=/a>a</A>", ["/a"]),
    "what is no link": ('<a name="x"><p cite="/a"><form action="/b"><link rel="preconnect" href="/c"><a href>', []),
    "a comment, a script, a style": (
        "<!-- <a href='/a'> --><script>'<a href=\"/b\">'</script><style>a{background:url(/c)}</style>",
        [],
    ),
    "Markdown is none": ("[x](/x)", []),
    "a tag that never ends": ('<a href="/a">a</a> <a href="/b', ["/a"]),
    "spaces and line breaks in a target": ('<a href=" https://a.example/\n  x ">', ["https://a.example/  x"]),
}
TARGETS = {
    "on the host, on another": ("[x](/x) [y](//b.example/y)", ["/x", "//b.example/y"]),
    "relative to the page": ("[a](a) [b](../b) [c](./c) [d](?d) [e](#e) [f]() [g](#)", []),
    "not of the web": ("[a](mailto:a@b.example) [b](TEL:1) [c](javascript:void) ![d](data:image/png;base64,AA)", []),
    "not of the web, in entities": ("[a](&#109;ailto:a@b.example)", []),
    "of no known kind": ("[a](htp://a.example) [b](ftp://b.example)", ["htp://a.example", "ftp://b.example"]),
    "a template, Liquid": ("[a]({{ site.baseurl }}/a) [b]({% link _news/b.md %}) [c](/x/{{page.id}})", []),
    "a template, quotes in it": ('<a href="{{ "/a" | relative_url }}">a</a><img src=\'{{< ref "b" >}}\'>', []),
    "beside a template": ("{% if x %}\n<p>[a](/a) {{ b }} [c](/c)</p>\n{% endif %}\n[d](/d)", ["/d"]),
    "a tag on lines of its own": ('{% include video.html\n  url="https://v.example/" %}\n# [a](/a)', ["/a"]),
    "a comment of Liquid": ("{% comment %}\n[a](/a)\n{% endcomment %}\n[b](/b)", ["/b"]),
    "a tag that never ends": ("{{ [a](/a) {% [b](/b)", ["/a", "/b"]),
}  # fmt: skip


def targets(text: str, suffix: str) -> list[str]:
    return [link.target for link in links_in(text, suffix)]


@pytest.mark.parametrize(("text", "expected"), [*MARKDOWN.values(), *TARGETS.values()], ids=[*MARKDOWN, *TARGETS])
def test_markdown_links_what_a_reader_sees_linked(text: str, expected: list[str]) -> None:
    assert targets(text, ".md") == expected


@pytest.mark.parametrize(("text", "expected"), HTML.values(), ids=HTML.keys())
def test_html_links_what_a_browser_asks_for(text: str, expected: list[str]) -> None:
    assert targets(text, ".html") == expected


@pytest.mark.parametrize("suffix", [".txt", ".yaml", "", ".json"])
def test_other_files_have_no_links(suffix: str) -> None:
    assert links_in(f"[x]({ONE}) <a href='{ONE}'>", suffix) == []


PLACED = """\
# A [head](/1)

para [two](/2) and ![i](/3)
   <a href="/4">x</a> <https://a.example/5>
{{ a tag }} [b](/6)

> - quote [q](/7)
>   <img src="/8">

<div>
  <p><a href="/9">x</a></p>
</div>

| [same](/0) | [same](/0) |
"""


def test_a_link_is_found_where_it_says() -> None:
    """Whatever cut the lines free before the parser saw them; also with Windows line endings."""
    expected = [
        "[head",
        "[two",
        "![i",
        "<a h",
        "<https",
        "[b]",
        "[q]",
        "<img",
        "<a h",
        "[same](/0) | [",
        "[same](/0) |\n",
    ]
    for text in (PLACED, PLACED.replace("\n", "\r\n")):
        lines = PLACED.splitlines(keepends=True)
        found = [lines[link.line - 1][link.column - 1 :] for link in links_in(text, ".md")]
        assert [there.startswith(start) for there, start in zip(found, expected, strict=True)] == [True] * len(expected)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://a.example/?a=1&b=2", "https://a.example/?a=1&b=2"),
        ("https://a.example/?a=1&amp;b=2", "https://a.example/?a=1&b=2"),
        ("https://a.example/?a=1&amp;amp;b=2", "https://a.example/?a=1&amp;b=2"),
        ("https://a.example/?a=1&copy=2", "https://a.example/?a=1&copy=2"),
        ("https://a.example/?a=1&region=2", "https://a.example/?a=1&region=2"),
        ("&#x68;ttps://a.example/&#120;", "https://a.example/x"),
        ("https://a.example/?a=1&amp;copy;=2", "https://a.example/?a=1&copy;=2"),
    ],
)
@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_entities_are_undone_once_on_the_way_to_what_is_asked(written: str, asked: str, suffix: str) -> None:
    [link] = links_in(f'<p><a href="{written}">x</a></p>', suffix)
    assert url_forms(link.target).fetch_url == asked


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<![CDATA[", "<a x='", "</", "{{", "{% comment %}", "<script>", "&#"])
@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_text_of_nothing_but_beginnings_is_read_in_time(piece: str, suffix: str) -> None:
    """The library alone would look at each of these for an end, up to the end of the text: for hours."""
    assert links_in(piece * 20_000, suffix) == []

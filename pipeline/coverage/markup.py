"""The links of a text in Markdown or HTML, each with the line and column where it begins.

A link is what a reader's program would ask for: the targets of links and of what is shown in place (images, frames,
videos, scripts …). Markdown is read as CommonMark, without bare addresses, which it does not link; the HTML in it
counts. Left out is what no one can ask for from the text alone:

- a target with a template tag in it (`{{ … }}`, `{% … %}`), known only once the site is made;
- one that is relative to the page (`../x.png`, `?page=2`, `#part`), since where the page stands is the site
  generator's business (`/x` and `//host/x` are kept);
- one that no web server answers, such as `mailto:`.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, html_inline, image, link
from markdown_it.token import Token

from pipeline.model.text import EDGE_SPACE, undo_entities

MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")
HTML = (".html", ".htm")
"""Other files have no links below their front matter: a .txt is shown as it is."""

MOST_CHARACTERS = 1 << 18
"""Longer texts are not searched: both parsers need time that grows with the square of some hostile ones."""

MAYBE_LINKS = r"<|\]\(|\]:"
"""A regular expression (RE2 and Python) that finds something in every text with a link."""

_TARGETS = {
    "a": ("href",), "area": ("href",), "link": ("href",), "img": ("src", "srcset"), "source": ("src", "srcset"),
    "video": ("src", "poster"), "audio": ("src",), "track": ("src",), "iframe": ("src",), "frame": ("src",),
    "embed": ("src",), "object": ("data",), "script": ("src",), "input": ("src",),
}  # fmt: skip
_ONLY_HINTS = frozenset(("preconnect", "dns-prefetch"))
"""Values of `rel` whose `href` is a host to call early, not a page."""
_NOT_OF_THE_WEB = frozenset((
    "about", "blob", "callto", "cid", "data", "facetime", "fax", "geo", "irc", "javascript", "magnet", "mailto", "mid",
    "news", "skype", "sms", "tel", "urn", "webcal", "whatsapp", "xmpp",
))  # fmt: skip
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LINE_BREAKS = re.compile(r"[\t\n\r]+")  # in a target, which a browser leaves out
_CLOSERS = {"{{": "}}", "{%": "%}"}
_FILLERS = {"{{": "\ufdd0", "{%": "\ufdd1"}  # code points that Unicode sets aside for no character
_AMPERSAND = "\ufdd2"
"""Stands for `&` while a parser reads: entities stay as they are written, to be undone as those of any other URL.
Left to itself, Python's parser takes the `&region=` of a query for a sign."""
_OPENER = re.compile(r"\{\{|\{%")
_COMMENT = "comment"
_COMMENT_TAG = re.compile(r"\{%-?\s*comment\b")
_END_OF_COMMENT = re.compile(r"\{%-?\s*endcomment\s*-?%\}")
_NO_LINE_BREAK = re.compile(r"[^\n]")
_LINES_OF_TAGS = re.compile(r"^[ \t\ufdd1]+$", re.MULTILINE)
_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*?)(,+(?=\s|\Z)|\s[^,]*(?:,|\Z)|\Z)")


@dataclass(frozen=True, slots=True)
class Link:
    """A target with its entities as written, and the line and column, from 1, where the link begins."""

    line: int
    column: int
    target: str


def links_in(text: str, suffix: str) -> list[Link]:
    """The links of `text`, which stands in a file that ends with `suffix`, in the order of their places."""
    read = _markdown_targets if suffix in MARKDOWN else _html_targets if suffix in HTML else None
    if read is None:
        return []
    plain = _without_templates(text.replace("\r\n", "\n").replace("\0", "\ufffd")).replace("&", _AMPERSAND)
    links = (
        Link(line, column, kept)
        for line, column, target in read(plain)
        if (kept := _kept(target.replace(_AMPERSAND, "&"))) is not None
    )
    return sorted(links, key=lambda link: (link.line, link.column))


_Target = tuple[int, int, str]
"""Line, column and target as its language has it."""


def _kept(raw: str) -> str | None:
    """The target, where it can be asked for."""
    target = _LINE_BREAKS.sub("", raw).strip(EDGE_SPACE)
    meant = undo_entities(target)
    scheme = _SCHEME.match(meant)
    is_template = any(filler in target for filler in _FILLERS.values())
    if is_template or not (scheme or meant.startswith("/")):
        return None
    return None if scheme and scheme[1].lower() in _NOT_OF_THE_WEB else target


# HTML


def _html_targets(text: str) -> list[_Target]:
    reader = _HtmlReader()
    # No tag ends behind the last sign of its kind, and the library would look for an end again and again.
    reader.feed(text[: text.rfind(">") + 1])
    reader.close()
    return reader.found


class _HtmlReader(HTMLParser):
    """Collects the targets of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Target] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = _TARGETS.get(tag)
        if not names:
            return
        given = {name: value for name, value in reversed(attrs) if value}  # the first of a name counts
        if tag == "link" and _ONLY_HINTS & set(given.get("rel", "").lower().split()):
            return
        line, offset = self.getpos()
        for name in names:
            if name in given:
                targets = _candidates(given[name]) if name == "srcset" else (given[name],)
                self.found += [(line, offset + 1, target) for target in targets]


def _candidates(srcset: str) -> Iterable[str]:
    """The images that a `srcset` offers for different screens."""
    return [candidate[1] for candidate in _CANDIDATE.finditer(srcset)]


# Markdown


def _markdown_targets(text: str) -> Iterator[_Target]:
    lines = text.split("\n")
    for token in _PARSER.parse(text):
        if token.type == "html_block":
            block = _Block(token, lines)
            for line, column, target in _html_targets(token.content):
                yield *block.place(line - 1, column - 1), target
        elif token.children:
            block = _Block(token, lines)
            for child in token.children:
                for target in _child_targets(child):
                    yield *block.place(*block.line_of(child.meta[_AT])), target


class _Block:
    """Leads from the content of a block, whose lines are cut free of list and quote marks, to its lines in the text."""

    def __init__(self, token: Token, lines: list[str]) -> None:
        first = token.map[0] if token.map else 0
        written = token.content.split("\n")
        self._first = first
        self._starts = [0, *accumulate(len(line) + 1 for line in written)]
        self._cut = [_cut(line, lines[first + number : first + number + 1]) for number, line in enumerate(written)]

    def line_of(self, offset: int) -> tuple[int, int]:
        """The line of the content, and the column in it, from 0, of a place in the content."""
        line = bisect_right(self._starts, offset) - 1
        return line, offset - self._starts[line]

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Line and column, from 1, of the text."""
        return self._first + line + 1, self._cut[line] + column + 1


def _cut(written: str, source: list[str]) -> int:
    """How many signs of the source line the block's line lacks at its start."""
    words = written.strip()
    return source[0].find(words) - written.find(words) if source and words in source[0] else 0


def _child_targets(child: Token) -> Iterable[str]:
    if child.type == "html_inline":
        return [target for _, _, target in _html_targets(child.content)]
    attribute = {"link_open": "href", "image": "src"}.get(child.type)
    return [str(child.attrs[attribute])] if attribute else ()


class _Parser(MarkdownIt):
    """CommonMark that keeps targets as they are and notes where in its paragraph each link begins."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"maxNesting": 100})
        for rule in (link, image, autolink, html_inline):
            self.inline.ruler.at(rule.__name__, _placed(rule))

    def normalizeLink(self, url: str) -> str:  # noqa: N802  the library's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002  the library's name
        return True


_AT = "newsledger_at"


def _placed(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    def placed(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found and not silent:
            made = (token for token in state.tokens[before:] if token.type in ("link_open", "image", "html_inline"))
            for token in made:
                token.meta.setdefault(_AT, start)
                break
        return found

    return placed


_PARSER = _Parser()


# Templates


def _without_templates(text: str) -> str:
    """The text with every template tag, and what a comment of Liquid holds, filled in sign by sign: all else keeps its
    place. Lines that hold nothing but `{% … %}` become blank, as Liquid leaves them."""
    pieces = []
    done = 0
    unclosed: set[str] = set()  # of a kind that is never closed, no later one is a tag either
    for opener in _OPENER.finditer(text):
        start, kind = opener.start(), opener[0]
        if start < done or kind in unclosed:
            continue
        end = text.find(_CLOSERS[kind], start) + 2
        if end < 2:
            unclosed.add(kind)
            continue
        if _COMMENT not in unclosed and _COMMENT_TAG.match(text, start):
            if closer := _END_OF_COMMENT.search(text, end):
                end = closer.end()
            else:
                unclosed.add(_COMMENT)
        pieces += [text[done:start], _NO_LINE_BREAK.sub(_FILLERS[kind], text[start:end])]
        done = end
    filled = "".join([*pieces, text[done:]])
    return _LINES_OF_TAGS.sub(lambda line: " " * len(line[0]), filled) if pieces else filled

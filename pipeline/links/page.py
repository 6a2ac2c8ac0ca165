"""What an HTML page says of itself: its title, and a fingerprint by which two pages are known to be the same.

Only the first 16 KB are read. The fingerprint is taken from the title and the visible words, so that a page which
repeats the asked path, a date, a counter or a token stays the same page: words with a digit in them, words longer than
any word, and the asked path where it stands whole (or its last part as a phrase) are left out, case and white space do
not count. A word of the path is kept where it stands alone: "news" is in every menu. A page without a visible word, as
those that a script fills, has no fingerprint: its title alone says nothing.
"""

import hashlib
import html
import re
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote

from pipeline.links.exchange import ASKED_BYTES

TITLE_CHARACTERS = 300
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_TITLE = re.compile("<title", re.IGNORECASE)
_TITLE_END = re.compile("</title", re.IGNORECASE)
# What is not shown, up to its end or the page's: a parser proper costs twenty times as much and tells no more.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|noscript|template|svg|head|title)\b.*?(?:</\1\s*>|\Z)|<[^>]*(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(r"[a-z]+://[^/?#]*([^?#]*)")
_SLUG_BREAK = re.compile(r"[-_+. ]+")
_EXTENSION = re.compile(r"\.\w{1,5}$")
# A title that needs no parser: nothing before it holds text of its own kind, and nothing stands in it.
_PLAIN_TITLE = re.compile(r"<title(?:[ \t\r\n\f][^<>]*)?>([^<]*)</title[ \t\r\n\f]*>", re.IGNORECASE)
_NOT_PLAIN = re.compile(
    r"<(?:svg|script|style|textarea|xmp|iframe|noembed|noframes|plaintext|[!?](?!doctype html>))", re.IGNORECASE
)
# Letters in lower case and _, every digit as 0, anything else as a space.
_WORDS_ALONE = (
    "".join(
        each.lower() if each.isalpha() or each == "_" else "0" if each.isdigit() else " "
        for each in map(chr, range(128))
    )
    .encode("ascii")
    .ljust(256)
)
_PLAIN_WORD = re.compile(r"(?<!\w)[^\W\d]{1,24}(?!\w)")


@dataclass(frozen=True, slots=True)
class Page:
    """`fingerprint` is None where the page shows no words at all."""

    title: str | None
    fingerprint: str | None


def read_page(body: bytes, content_type: str | None, url: str) -> Page | None:
    """The page in `body`, or None where the answer is no HTML."""
    if not content_type or content_type.partition(";")[0].strip().lower() not in _HTML_TYPES or not body:
        return None
    text = _decode(body[:ASKED_BYTES], content_type)
    title = _title(text)
    return Page(title, _fingerprint(title or "", html.unescape(_UNSEEN.sub(" ", text)), url))


def _title(text: str) -> str | None:
    """The first title outside a drawing or a script. A parser reads as far as it has to, where one look does not do."""
    if not (found := _TITLE.search(text)):
        return None
    plain = _PLAIN_TITLE.match(text, found.start())
    if plain and not _NOT_PLAIN.search(text, 0, found.start()):
        title = " ".join(html.unescape(plain[1]).split())
        if title:
            return title[:TITLE_CHARACTERS]
    reader = _TitleReader()
    start = 0
    for end in [*(match.start() for match in _TITLE_END.finditer(text)), len(text)]:
        try:
            reader.feed(text[start:end])
        except AssertionError:  # how html.parser says that a declaration is beyond it
            break
        start = end
        if reader.title:
            break
    return " ".join("".join(reader.title).split())[:TITLE_CHARACTERS] or None


def _fingerprint(title: str, seen: str, url: str) -> str | None:
    if not _PLAIN_WORD.search(seen):
        return None
    text = f"{title} {seen}".casefold()
    for echo in _echoes(url):
        if echo in text:
            text = _without(echo, text)
    words = _ascii_words(text) if text.isascii() else " ".join(_PLAIN_WORD.findall(text)).encode("utf-8", "replace")
    return hashlib.sha256(words).hexdigest() if words else None


def _without(echo: str, text: str) -> str:
    """The text with a space for the echo wherever it is no part of a longer word."""
    first, *rest = text.split(echo)
    kept = [first]
    for before, after in zip([first, *rest], rest, strict=False):
        within = (_is_word(echo[0]) and _is_word(before[-1:])) or (_is_word(echo[-1]) and _is_word(after[:1]))
        kept += [echo if within else " ", after]
    return "".join(kept)


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _echoes(url: str) -> list[str]:
    """How a page may repeat the path it was asked for: whole, as sent and as meant, and its last part as a phrase."""
    path = _PATH.match(url)
    sent = path[1].casefold() if path else ""
    meant = unquote(sent)
    last = meant.rstrip("/").rpartition("/")[2]
    phrase = _SLUG_BREAK.split(_EXTENSION.sub("", last).strip("-_+. "))
    long_enough = [meant, sent] if len(meant) > 1 else []
    return [*long_enough, *([last, " ".join(phrase)] if len(phrase) > 1 else [])]


def _ascii_words(text: str) -> bytes:
    """What `_PLAIN_WORD` finds in the text, which is ASCII alone, at a small part of its cost."""
    marked = text.encode("ascii").translate(_WORDS_ALONE)
    words = marked.split()
    if b"0" in marked:
        words = [word for word in words if b"0" not in word]
    if words and max(map(len, words)) > 24:
        words = [word for word in words if len(word) <= 24]
    return b" ".join(words)


def _decode(body: bytes, content_type: str) -> str:
    charset = _charset(content_type)
    if charset is None:
        named = _CHARSET.search(body, 0, 1024)
        charset = named[1].decode("ascii") if named else "utf-8"
    try:
        return body.decode(charset, "replace")
    except (LookupError, UnicodeError):  # a charset nobody knows, or one that is no text encoding
        return body.decode("utf-8", "replace")


@lru_cache(256)
def _charset(content_type: str) -> str | None:
    named = _CHARSET.search(content_type.encode("utf-8", "replace"))
    return named[1].decode("ascii") if named else None


class _TitleReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self._in_title = False
        self._drawings = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg":
            self._drawings += 1
        elif tag == "title":
            self._in_title = not self._drawings

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg":
            self._drawings = max(0, self._drawings - 1)
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)

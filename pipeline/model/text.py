"""Text as people meant it: entities undone once, NFC, no white space at its edges.

The raw text stays where it was written; this form is what is shown and compared.
"""

import html
import re
import unicodedata
from typing import NamedTuple

# Only references closed by a semicolon: `?a=1&copy=2` is a query, not a copyright sign.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
EDGE_SPACE = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff\u2028\u2029\u3000"

NEEDS_CLEANING = "&|[^ -~\u00a1-\u02ff\u2010-\u2027]|^ | $"
"""A regular expression (RE2 and Python) of the texts that `clean_text` may change; the others are clean as they are.
Latin letters up to U+02FF, and the typographer's dashes, quotation marks and dots, are in NFC wherever no combining
sign follows (Unicode's DerivedNormalizationProps: NFC_QC), and no space at an edge."""

TEXT_MACROS = f"create or replace macro needs_cleaning(raw) as regexp_matches(raw, '{NEEDS_CLEANING}');"
"""The same for SQL."""


class CleanText(NamedTuple):
    """`twice_escaped`: an entity still stands in the text after it was undone once (`&amp;quot;`)."""

    text: str
    twice_escaped: bool


def undo_entities(raw: str) -> str:
    """`raw` with each closed character reference undone once."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), raw) if "&" in raw else raw


def clean_text(raw: str) -> CleanText:
    """`raw` with entities undone once, in NFC, trimmed at both ends."""
    text = unicodedata.normalize("NFC", undo_entities(raw)).strip(EDGE_SPACE)
    twice = _ENTITY.search(text)
    return CleanText(text, twice is not None and html.unescape(twice[0]) != twice[0])


def printable(text: str, keep: str = "") -> str:
    """`text` with an escape for each sign that is none to see, those of `keep` aside: it cannot command a terminal."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in keep else sign.encode("unicode_escape").decode() for sign in text
    )

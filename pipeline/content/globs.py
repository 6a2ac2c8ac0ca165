"""Globs over paths inside a source, as git and ruff read them.

`*` and `?` stay inside one folder, `**` spans folders, `[a-z]` and `[!a-z]` are classes, a backslash takes the next
sign as it is, case counts. A pattern without a slash (a final one aside) holds at any depth; one that names a folder
holds for all that lies below it. (`glob.translate` is in the standard library from Python 3.13 only.)
"""

import re
from collections.abc import Iterable, Sequence

SITE_CONFIG = "_config.yml"
"""The site's own settings: read for its address, never taken for content."""

_SUFFIX_GLOB = re.compile(r"(?:\*\*/)?\*(\.[A-Za-z0-9]+)")


class Selection:
    """What a source's globs leave of its tree."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        suffixes = [match[1] for pattern in include if (match := _SUFFIX_GLOB.fullmatch(pattern))]
        self.suffixes = tuple(suffixes)
        """Ends of names that are included wherever they lie: the cheap look before `included`."""
        self.included = compile_globs(include).fullmatch
        self.excluded = compile_globs((*exclude, "/" + SITE_CONFIG, ".git")).fullmatch
        by_name = [pattern for pattern in exclude if not pattern.endswith(("/", "/**"))]
        self.excluded_by_name = compile_globs((*by_name, "/" + SITE_CONFIG)).fullmatch
        """`excluded` for a file in a folder that is not: what leaves out whole folders need not be asked again."""

    def takes(self, path: str) -> bool:
        """Whether the file of this path belongs to the source."""
        return bool(path.endswith(self.suffixes) or self.included(path)) and not self.excluded(path)


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str]:
    """One regular expression for `fullmatch` that is true where any of `patterns` is; of none, true nowhere."""
    branches = "|".join(_translate(pattern) for pattern in patterns)
    return re.compile(f"(?:{branches})(?:/.*)?" if branches else r"(?!)", re.DOTALL)


def _translate(pattern: str) -> str:
    anchored = "/" in pattern.rstrip("/")
    segments = pattern.strip("/").split("/")
    out = "" if anchored else "(?:.*/)?"
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "**":
            out += ".*" if last else "(?:.*/)?"
        else:
            out += _segment(segment) + ("" if last else "/")
    return out


def _segment(segment: str) -> str:
    out = ""
    position = 0
    while position < len(segment):
        sign = segment[position]
        position += 1
        if sign == "*":
            out += "" if out.endswith("[^/]*") else "[^/]*"
        elif sign == "?":
            out += "[^/]"
        elif sign == "\\" and position < len(segment):
            out += re.escape(segment[position])
            position += 1
        elif sign == "[" and (end := segment.find("]", position + 1 + (segment[position : position + 1] in "!^"))) > 0:
            out += _sign_class(segment[position:end])
            position = end + 1
        else:
            out += re.escape(sign)
    return out


def _sign_class(inside: str) -> str:
    negated = inside[0] in "!^"
    signs = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[1:] if negated else inside)
    try:
        re.compile(f"[{signs}]")
    except re.error:  # a range that runs backwards holds nothing, as in git
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{signs}]"

"""Render the page and put it where readers open it. `reading` says what it tells, `templates/` how."""

import base64
import hashlib
import math
import re
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.errors import WarehouseError
from pipeline.lake.files import replacing
from pipeline.lake.relations import relations, tables_read
from pipeline.report.drawing import svg
from pipeline.report.reading import Morning, Pictured, read_morning
from pipeline.report.sections import statement

_LONGEST = 600
_SCHEMAS = ("reports", "ops", "coverage", "links", "staging", "macros")
_INNER_SLASH = re.compile(r"(?<=[^/])/(?=[^/])")
_HREF = re.compile(r"https?://[^\s\x00-\x20\x7f\\]+", re.IGNORECASE)
# Marks that would turn the direction of the text around them, and so make one URL look like another.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def write_report(file: Path, folder: Path) -> Path:
    """`folder`/index.html, made anew from the warehouse `file`, which is only read, and beside it the SQL that it links
    to, sql.html. The old pages stay until then.

    Raises WarehouseError where the warehouse cannot be read or a page cannot be written.
    """
    environment = _environment()
    page = _page(environment, read_morning(file))
    _put(_sql_page(environment), folder / "sql.html")
    return _put(page, folder / "index.html")


def _put(text: str, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WarehouseError(
            f"{target}: the report cannot be written: {error.strerror}; make the folder writable and refresh again"
        ) from error
    return target


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,  # titles, paths and URLs come from the world
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "shown": _shown, "breakable": _breakable, "share": _share, "hours": _hours}
    environment.filters |= {"made_by": _made_by, "linked": _linked, "drawn": _drawn}
    environment.tests["web_url"] = _is_web_url
    return environment


def _page(environment: Environment, morning: Morning) -> str:
    style, script = (environment.get_template(name).render() for name in ("report.css", "report.js"))
    return environment.get_template("page.html.jinja").render(
        morning=morning,
        statement=statement,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _sql_page(environment: Environment) -> str:
    style = environment.get_template("report.css").render()
    return environment.get_template("sql.html.jinja").render(
        schemas={schema: relations(schema) for schema in _SCHEMAS}, style=style, style_hash=_hash(style)
    )


def _made_by(sql: str) -> list[str]:
    """The tables that a statement reads and the SQL page shows."""
    return _linked(tables_read(sql))


def _linked(names: Iterable[str]) -> list[str]:
    there = {found.full_name for schema in _SCHEMAS for found in relations(schema)}
    return sorted(there & set(names))


def _drawn(pictured: Pictured) -> Markup:
    # Made by the drawing library, which escapes what the picture shows of the world.
    return Markup(svg(pictured.picture.draw(pictured.rows)))  # noqa: S704


def _hash(text: str) -> str:
    """The source expression that lets a browser run just this text: whatever else got onto the page stays text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _is_web_url(value: object) -> bool:
    return isinstance(value, str) and _HREF.fullmatch(value) is not None


def _shown(value: object) -> str:
    """Text as it may be shown: invisible marks made visible, endless text cut."""
    text = str(value)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return _INVISIBLE.sub(lambda mark: f"⟨U+{ord(mark[0]):04X}⟩", text)


def _breakable(text: str) -> Markup:
    """A path or a URL that lines may break in, after its inner slashes; the parts are escaped in the joining."""
    return Markup("/<wbr>").join(_INNER_SLASH.split(text))


def _count(value: int) -> str:
    return f"{value:,}".replace("-", "\N{MINUS SIGN}")


def _share(value: float) -> str:
    return f"{value:.1%}" if math.isfinite(value) else "–"


def _hours(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{round(value, 1) + 0.0:+,.1f} h".replace("-", "\N{MINUS SIGN}")

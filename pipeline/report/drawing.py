"""Turn a chart into SVG, on this machine alone. How charts look stands here; what they show, in `pictures`.

Colours are the names of the page's own, `var(--good)` and its kin, so that a picture follows the page from light to
dark and to paper; `standing_alone` gives them values where no page does.
"""

import base64
import json
import re
from functools import lru_cache

import altair as alt
import vl_convert

WIDTH = 420
"""Of every picture, in its own pixels: what a phone shows at about four fifths, and a desk a little larger."""

INK, QUIET, RULE = "var(--ink)", "var(--quiet)", "var(--rule)"
GOOD, BAD, UNSURE, ACCENT = "var(--good)", "var(--bad)", "var(--unsure)", "var(--link)"

_ON_WHITE = {
    INK: "#1a1a1a",
    QUIET: "#5c5f66",
    RULE: "#d5d7dc",
    GOOD: "#1b7440",
    BAD: "#b3261e",
    UNSURE: "#8a5a00",
    ACCENT: "#0b4fa8",
    "inherit": "sans-serif",
}
_TEXT = {"labelFont": "inherit", "titleFont": "inherit", "labelFontSize": 13, "titleFontSize": 13}
_CONFIG = {
    "aria": False,  # the page names the whole, and tells the numbers in a table
    "font": "inherit",
    "view": {"stroke": None},
    "axis": _TEXT
    | {"labelColor": INK, "titleColor": QUIET, "titleFontWeight": "normal", "titlePadding": 8}
    | {"domainColor": QUIET, "tickColor": QUIET, "gridColor": RULE, "labelLimit": 170},
    "legend": _TEXT | {"labelColor": INK, "orient": "top", "title": None, "symbolStrokeWidth": 0, "offset": 6},
    "text": {"font": "inherit", "fontSize": 13, "fill": INK},
}
_SIZE = re.compile(r'^(<svg [^>]*?) width="[\d.]+" height="[\d.]+"')


def svg(chart: alt.TopLevelMixin) -> str:
    """The chart as an SVG element without a size of its own, to be put into a page as it is: what it shows of the world
    is escaped. It is silent: what stands around it says what it is."""
    spec = chart.to_dict() | {"config": _CONFIG, "background": None}
    return _SIZE.sub(r'\1 aria-hidden="true"', _drawn(json.dumps(spec)), count=1)


def standing_alone(picture: str) -> str:
    """The picture of a page as a `data:` URI of an image on white."""
    for name, value in _ON_WHITE.items():
        picture = picture.replace(f'"{name}"', f'"{value}"')
    head, _, rest = picture.partition(">")
    picture = f'{head}><rect width="100%" height="100%" fill="#fff"/>{rest}'
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()


@lru_cache(maxsize=32)
def _drawn(spec: str) -> str:
    """One refresh draws each picture for its asset and for the page."""
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))

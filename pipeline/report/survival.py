"""The survival of links as a picture: the curves of reports.link_survival, as steps.

Rows in, a chart out; whoever shows it says how it is drawn and in which colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

COLOURS = ("#0b4fa8", "#b3261e", "#1b7440", "#8a5a00", "#6b3fa0", "#5c5f66")
DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [1, 3])
"""Told apart without colours, too."""


@dataclass(frozen=True, slots=True)
class Step:
    """A row of reports.link_survival. The bounds are those of 95 %, where there are any."""

    name: str
    day: int
    survival: float
    low: float | None = None
    high: float | None = None


def survival_chart(
    steps: Sequence[Step], colours: Sequence[str] = COLOURS, width: int = 360, height: int = 190
) -> alt.TopLevelMixin:
    """The share of links that live, by the days since each was first seen alive: a curve for each name, in the order in
    which they come, as many as there are colours; around a lone one its bounds. The line across is the half-life."""
    names = list(dict.fromkeys(step.name for step in steps))[: len(colours)]
    shown = [
        {"name": step.name, "day": step.day, "survival": step.survival, "low": step.low, "high": step.high}
        for step in steps
        if step.name in names
    ]
    days = alt.X("day:Q", title="days since first seen alive", axis=alt.Axis(grid=False, tickCount=6, format="d"))
    share = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.Data(values=shown), width=width, height=height)  # type: ignore[no-untyped-call]
    curves = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=days,
        y=alt.Y("survival:Q", title="links alive", scale=share, axis=alt.Axis(format="%", tickCount=5)),
        color=_by_name(alt.Color, names, [*colours], legend=len(names) > 1),
        strokeDash=_by_name(alt.StrokeDash, names, [*DASHES], legend=len(names) > 1),
    )
    half = (
        alt.Chart(alt.Data(values=[{"half": 0.5}]))  # type: ignore[no-untyped-call]
        .mark_rule(strokeDash=[3, 3], strokeWidth=1, opacity=0.6)
        .encode(y=alt.Y("half:Q", scale=share))
    )
    if len(names) != 1:
        return alt.layer(half, curves)
    bounds = base.mark_area(interpolate="step-after", opacity=0.18, color=colours[0]).encode(
        x=days, y=alt.Y("low:Q", scale=share), y2="high:Q"
    )
    return alt.layer(bounds, half, curves)


def _by_name(
    channel: type[alt.Color] | type[alt.StrokeDash],
    names: Sequence[str],
    values: Sequence[str | Sequence[float]],
    *,
    legend: bool,
) -> alt.Color | alt.StrokeDash:
    scale = alt.Scale(domain=[*names], range=[*values[: len(names)]])
    return channel(
        "name:N", scale=scale, title=None, legend=alt.Legend(title=None, symbolStrokeWidth=2) if legend else None
    )

"""What the pictures of the page show: each from the rows of its statement, within bounds that its note tells.

A picture belongs to a table, whose asset it is shown on in Dagster too. How charts look is `drawing`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from pipeline.report.drawing import ACCENT, BAD, GOOD, INK, QUIET, RULE, UNSURE, WIDTH
from pipeline.report.sections import statement
from pipeline.report.survival import Step, survival_chart

Rows = Sequence[tuple[object, ...]]

_JUDGEMENTS = ["broken", "not judged", "alive"]
_JUDGED = alt.Scale(domain=_JUDGEMENTS, range=[BAD, UNSURE, GOOD])
# Dark, less dark, pale: told apart without their colours, too.
_WEIGHT = alt.Scale(domain=_JUDGEMENTS, range=[1, 0.6, 0.35])
_ROW_HEIGHT, _ARC_HEIGHT = 76, 46
_SHOWN_CHARACTERS = 52


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture. `name` is its statement's file, `belongs_to` the table that it shows; `columns` are the headings of
    its numbers, of the statement's first columns. With fewer rows than `least` it is not drawn; `empty` says why.
    """

    name: str
    title: str
    belongs_to: str
    columns: tuple[str, ...]
    draw: Callable[[Rows], alt.TopLevelMixin]
    note: Callable[[Rows], str]
    empty: str = ""
    least: int = 1

    @property
    def statement(self) -> str:
        return statement(self.name)


def _chart(told: Sequence[Mapping[str, object]], **sizes: Any) -> alt.Chart:
    return alt.Chart(alt.Data(values=told), **sizes)  # type: ignore[no-untyped-call]


def _links_by_night(rows: Rows) -> alt.TopLevelMixin:
    told = [
        {"night": str(night), "links": links, "what": what}
        for night, broken, unjudged, *_ in rows
        for what, links in (("broken", broken), ("not judged", unjudged))
    ]
    drawn: alt.Chart = (
        _chart(told, width=WIDTH - 60, height=190)
        .mark_line(point={"size": 30, "filled": True}, strokeWidth=2)
        .encode(
            x=alt.X(
                "night:T",
                title=None,
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(grid=False, tickCount=4, format="%b %-d"),
            ),
            y=alt.Y("links:Q", title="links", axis=alt.Axis(tickCount=5, tickMinStep=1, format=",d")),
            color=alt.Color("what:N", scale=alt.Scale(domain=["broken", "not judged"], range=[BAD, UNSURE])),
            strokeDash=alt.StrokeDash(
                "what:N", scale=alt.Scale(domain=["broken", "not judged"], range=[[1, 0], [6, 4]])
            ),
        )
    )
    return drawn


def _files_by_refresh(rows: Rows) -> alt.TopLevelMixin:
    whats = ("new or changed", "rejected", "removed")
    told = [
        {"refresh": place, "day": f"{started_at:%b %-d}", "files": files, "what": what, "order": order}
        for place, (started_at, *counts) in enumerate(rows)
        for order, (what, files) in enumerate(zip(whats, counts, strict=False))
    ]
    drawn: alt.Chart = (
        _chart(told, width=WIDTH - 60, height=190)
        .mark_bar()
        .encode(
            x=alt.X(
                "refresh:O",
                title=None,
                axis=alt.Axis(labelExpr=_labels(told), labelAngle=0, labelOverlap="greedy", ticks=False),
                scale=alt.Scale(paddingInner=0.25),
            ),
            y=alt.Y("files:Q", title="files", axis=alt.Axis(tickCount=5, tickMinStep=1, format=",d")),
            color=alt.Color("what:N", scale=alt.Scale(domain=[*whats], range=[ACCENT, BAD, QUIET])),
            order="order:Q",
        )
    )
    return drawn


def _labels(told: Sequence[dict[str, object]]) -> str:
    """A Vega expression that says the day of a refresh; the days are ours."""
    days = [str(row["day"]) for row in told if row["order"] == 0]
    return f"{days}[datum.value]"


def _health(rows: Rows) -> alt.TopLevelMixin:
    """Bars of one length, whatever they count: behind each stands how many links it has."""
    told, counts = [], []
    for name, *judged, _ in rows:
        alive, broken, unjudged = map(_number, judged)
        counts.append({"name": str(name), "links": alive + broken + unjudged})
        told += [
            {"name": str(name), "what": what, "links": links, "order": order}
            for order, (what, links) in enumerate(zip(_JUDGEMENTS, (broken, unjudged, alive), strict=True))
        ]
    width = WIDTH - 200
    down = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(domain=False, ticks=False, labelPadding=6))
    bars = (
        _chart(told)
        .mark_bar(height={"band": 0.7})
        .encode(
            y=down,
            x=alt.X("links:Q", stack="normalize", title=None, axis=alt.Axis(format="%", tickCount=4, grid=False)),
            color=alt.Color("what:N", scale=_JUDGED),
            opacity=alt.Opacity("what:N", scale=_WEIGHT),
            order="order:Q",
        )
    )
    behind = _chart(counts).mark_text(align="left")
    behind = behind.encode(y=down, x=alt.value(width + 6), text=alt.Text("links:Q", format=","))
    return alt.layer(bars, behind, width=width, height={"step": 24})


def _outlets_note(rows: Rows) -> str:
    return (
        f"{_of_all(rows, 'domains', 4).capitalize()}, those with most broken links first; behind each bar, how many it"
        " has."
    )


def _topics_by_week(rows: Rows) -> alt.TopLevelMixin:
    told = [{"topic": str(topic), "week": str(week), "stories": _number(stories)} for topic, week, stories, *_ in rows]
    drawn: alt.Chart = (
        _chart(told, width=WIDTH - 160, height={"step": 22})
        .mark_rect(color=ACCENT, stroke=RULE, strokeWidth=0.5)
        .encode(
            x=alt.X(
                "week:O",
                title=None,
                axis=alt.Axis(
                    labelExpr="utcFormat(toDate(datum.value), '%b %-d')",
                    labelAngle=0,
                    labelOverlap="greedy",
                    labelAlign="left",
                    ticks=False,
                ),
            ),
            y=alt.Y("topic:N", title=None, sort=None, axis=alt.Axis(domain=False, ticks=False, labelPadding=6)),
            fillOpacity=alt.FillOpacity("stories:Q", scale=alt.Scale(range=[0, 1], domainMin=0), legend=None),
        )
    )
    return drawn


def _topics_note(rows: Rows) -> str:
    most = max(_number(stories) for _, _, stories, *_ in rows)
    return (
        f"{_of_all(rows, 'topics', 4).capitalize()}, those with most stories first, in the last 26 weeks. The strongest"
        f" tint is a week of {most:,} {'story' if most == 1 else 'stories'}."
    )


def _clusters(rows: Rows) -> alt.TopLevelMixin:
    """A row for each cluster, a dot for each story in the order of its days, an arc for two that share articles."""
    dots: list[dict[str, object]] = []
    arcs: list[dict[str, object]] = []
    names: list[dict[str, object]] = []
    shown: dict[object, int] = {}
    for cluster, *_ in rows:
        shown[cluster] = shown.get(cluster, 0) + 1
    for cluster, place, _, _, _, shared_with, hottest_title, story_count, _ in rows:
        base = _number(cluster) * _ROW_HEIGHT - 26
        step = min(28.0, (WIDTH - 16) / max(shown[cluster] - 1, 1))
        left = 8 + (_number(place) - 1) * step
        dots.append({"x": left, "y": base})
        if place == 1:
            title = _cut(str(hottest_title or "without a title"), _SHOWN_CHARACTERS)
            names.append({"x": 0, "y": base + 19, "name": f"{title} · {story_count}"})
        for one in shared_with if isinstance(shared_with, list | tuple) else ():
            right = 8 + (one["place"] - 1) * step
            height = min(_ARC_HEIGHT, 8 + (right - left) * 0.3)
            arcs += [
                {"arc": f"{cluster} {place} {one['place']}", "articles": one["articles"], "point": point}
                | {"x": left + (right - left) * point / 2, "y": base - height * (point == 1)}
                for point in range(3)
            ]
    across = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH], nice=False))
    height = max(map(_number, shown)) * _ROW_HEIGHT
    down = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[height, 0], nice=False))
    lines = (
        _chart(arcs)
        .mark_line(color=QUIET, interpolate="natural", opacity=0.7)
        .encode(
            across,
            down,
            detail="arc:N",
            order="point:Q",
            strokeWidth=alt.StrokeWidth(
                "articles:Q", legend=None, scale=alt.Scale(domain=[1, 4], range=[1, 4], clamp=True)
            ),
        )
    )
    stories = _chart(dots).mark_circle(size=70, opacity=1, color=ACCENT).encode(across, down)
    titles = _chart(names).mark_text(align="left", baseline="middle").encode(across, down, text="name:N")
    return alt.layer(lines, stories, titles, width=WIDTH, height=height)


def _number(value: object) -> int:
    return int(str(value or 0))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _of_all(rows: Rows, what: str, of: int) -> str:
    shown, there = len({row[0] for row in rows}), _number(rows[0][of])
    return "all of them" if shown == there else f"{shown:,} of {there:,} {what}"


def _left_out(rows: Rows) -> str:
    clusters = {cluster: _number(story_count) for cluster, *_, story_count, _ in rows}
    there, shown = sum(clusters.values()), len(rows)
    return (
        f"A row is a cluster, a dot a story, in the order of their days; an arc joins two that share articles, the"
        f" thicker the more. {_of_all(rows, 'clusters', 8).capitalize()}, the largest first"
        + (f"; {shown:,} of their {there:,} stories, the hottest." if shown < there else ".")
    )


def _survival(rows: Rows) -> alt.TopLevelMixin:
    steps = [
        Step(str(name), int(_number(day)), float(str(survival)), _bound(low), _bound(high))
        for name, day, survival, low, high, *_ in rows
    ]
    return survival_chart(steps, (ACCENT, BAD, GOOD, UNSURE, INK), width=WIDTH - 60)


def _bound(value: object) -> float | None:
    return None if value is None else float(str(value))


_WATCHED = "Two nights that saw links alive are needed to watch them."

PICTURES = {
    picture.name: picture
    for picture in (
        Picture(
            "links_by_night",
            "Links that are broken, and that could not be judged",
            "reports.link_health_by_night",
            ("Night", "Broken", "Not judged", "Alive", "Broke", "Revived", "Judged that night"),
            _links_by_night,
            lambda rows: f"After each of the last {len(rows)} nights that judged any.",
            "Two nights that judged links are needed to see how they change.",
            least=2,
        ),
        Picture(
            "files_by_refresh",
            "What each refresh found in the archive",
            "ops.refreshes",
            ("Refresh", "New or changed", "Rejected", "Removed", "Seen", "Mentions"),
            _files_by_refresh,
            lambda rows: f"The last {len(rows)} published refreshes.",
            "Two published refreshes are needed to see how they differ.",
            least=2,
        ),
        Picture(
            "survival_all",
            "How long links live",
            "reports.link_survival",
            ("Of", "Day", "Survival", "At least", "At most", "At risk", "Died"),
            _survival,
            lambda _: "The share alive by days since each was first seen alive (Kaplan and Meier), within 95 % bounds.",
            _WATCHED,
            least=2,
        ),
        Picture(
            "survival_by_age",
            "How long links live, by the age of the item",
            "reports.link_survival",
            ("Age", "Day", "Survival", "At least", "At most", "At risk", "Died"),
            _survival,
            lambda _: "The age when a link was first seen alive; the five with the most links.",
            _WATCHED,
            least=2,
        ),
        Picture(
            "outlet_health",
            "Links by outlet and last judgement",
            "reports.link_health_by_outlet",
            ("Domain", "Alive", "Broken", "Not judged"),
            _health,
            _outlets_note,
        ),
        Picture(
            "role_health",
            "Links by role and last judgement",
            "reports.link_rot",
            ("Role", "Alive", "Broken", "Not judged"),
            _health,
            lambda _: "What links are for; behind each bar, how many there are.",
        ),
        Picture(
            "topics_by_week",
            "Stories by topic and week",
            "reports.topic_weeks",
            ("Topic", "Week of", "Stories"),
            _topics_by_week,
            _topics_note,
        ),
        Picture(
            "clusters_picture",
            "Which stories share articles",
            "reports.clusters_of_stories",
            ("Cluster", "Place", "Story", "Day", "File"),
            _clusters,
            _left_out,
        ),
    )
}

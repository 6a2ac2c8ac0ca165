"""The survival of links as a picture, drawn with no network."""

import json
from typing import Any

import pytest
import vl_convert

from pipeline.report.survival import COLOURS, Step, survival_chart

LONE = [Step("all", 0, 1.0), Step("all", 6, 0.75, 0.4, 0.9), Step("all", 9, 0.25, 0.1, 0.5)]


def marks(chart: Any) -> list[str]:
    return [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]


def drawn(steps: list[Step]) -> str:
    return str(vl_convert.vegalite_to_svg(json.dumps(survival_chart(steps).to_dict()), allowed_base_urls=[]))


def test_a_lone_curve_has_its_bounds_and_no_legend() -> None:
    chart = survival_chart(LONE)
    assert marks(chart) == ["area", "rule", "line"]
    line = chart.to_dict()["layer"][2]
    assert line["mark"]["interpolate"] == "step-after", "links die on a day, and not between"
    assert line["encoding"]["color"]["legend"] is None
    assert [row["survival"] for row in line["data"]["values"]] == [1.0, 0.75, 0.25]
    picture = drawn(LONE)
    assert picture.startswith("<svg")
    assert "100%" in picture
    assert "http://www.w3.org/2000/svg" in picture


def test_several_curves_are_told_apart_by_colour_and_by_dash() -> None:
    steps = [Step(name, day, 1 - day / 100) for name in ("a.example", "b.example") for day in (0, 10)]
    assert marks(survival_chart(steps)) == ["rule", "line"]
    line = survival_chart(steps).to_dict()["layer"][1]
    for channel in ("color", "strokeDash"):
        assert line["encoding"][channel]["scale"]["domain"] == ["a.example", "b.example"]
        assert len(line["encoding"][channel]["scale"]["range"]) == 2
    assert "b.example" in drawn(steps)


def test_no_more_curves_are_drawn_than_can_be_told_apart() -> None:
    steps = [Step(f"{number}.example", day, 1.0) for number in range(9) for day in (0, 5)]
    line = survival_chart(steps).to_dict()["layer"][1]
    assert {row["name"] for row in line["data"]["values"]} == {f"{number}.example" for number in range(len(COLOURS))}


def test_names_from_the_world_are_escaped() -> None:
    picture = drawn([Step("<script>alert(1)</script>", 0, 1.0), Step("b & c", 0, 1.0)])
    assert "<script>" not in picture
    assert "&lt;script&gt;" in picture


@pytest.mark.parametrize("steps", [[], [Step("all", 0, 1.0)]])
def test_little_is_drawn_too(steps: list[Step]) -> None:
    assert drawn(steps).startswith("<svg")

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.dots import Dot, bullet, dot_row
from two_tower_assets.evaluation.page.charts.plots import Plane
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.charts.stacks import stack

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 4))


def attributes(svg: str, name: str) -> list[str]:
    return re.findall(rf' {name}="([^"]*)"', svg)


@given(st.lists(st.none() | NUMBERS | st.just(math.nan)), st.booleans())
def test_a_scale_covers_its_values_and_its_labels_are_distinct_and_inside(
    values: list[float | None], zero: bool
) -> None:
    scale = Scale.covering(values, zero=zero)
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert all(scale.low <= value <= scale.high for value in finite)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 9
    assert len({label for _, label in ticks}) == len(ticks)
    assert all(-1e-6 <= scale.at(value) <= 100 + 1e-6 for value, _ in ticks)
    assert scale.low <= 0 <= scale.high or not zero


def test_ticks_are_round_numbers_with_the_decimals_they_need() -> None:
    assert [label for _, label in Scale(0.0, 1.0).ticks()] == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert [label for _, label in Scale(-0.03, 0.11).ticks()] == ["0.00", "0.05", "0.10"]
    assert [label for _, label in Scale(0, 2000).ticks()] == ["0", "500", "1,000", "1,500", "2,000"]
    assert [label for _, label in Scale(-2, 2).ticks()] == ["−2", "−1", "0", "1", "2"]


def test_a_dot_stands_at_its_mean_between_the_ends_of_its_whisker() -> None:
    svg = dot_row(Scale(0, 2), [Dot(Interval(mean=1, low=0.5, high=1.6), "towers")], "label")
    assert attributes(svg, "cx") == ["50.00%"]
    whisker = re.search(r'<line x1="([^"]*)" x2="([^"]*)"[^>]*class="whisker towers"', svg)
    assert whisker is not None
    assert whisker.groups() == ("25.00%", "80.00%")


def test_a_figure_without_an_interval_has_no_whisker() -> None:
    assert "whisker" not in dot_row(Scale(0, 2), [Dot(Interval(mean=1), "baseline")], "label")


def test_a_bullet_shades_the_side_that_is_allowed() -> None:
    """Bound 1 of a scale from 0 to 2 and a margin: to its right for a lower bound, to its left for an upper one."""
    lower = bullet(2.0, 1.0, at_least=True, passed=True, label="label")
    upper = bullet(2.0, 1.0, at_least=False, passed=False, label="label")
    edge = 100 / 2.12
    assert re.search(r'<rect x="([^"]*)" width="([^"]*)"', lower).groups() == (f"{edge:.2f}%", f"{100 - edge:.2f}%")  # type: ignore[union-attr]
    assert re.search(r'<rect x="([^"]*)" width="([^"]*)"', upper).groups() == ("0.00%", f"{edge:.2f}%")  # type: ignore[union-attr]
    assert 'class="fail"' in upper


def test_shares_stand_side_by_side_and_empty_ones_are_left_out() -> None:
    svg = stack([0.5, 0.0, 0.3, 0.2], ["a", "b", "c", "d"], "label")
    assert attributes(svg, "x") == ["0.00%", "50.00%", "80.00%"]
    assert attributes(svg, "width") == ["50.00%", "30.00%", "20.00%"]


def test_a_long_line_is_thinned_and_points_that_are_not_finite_are_left_out() -> None:
    plane = Plane(Scale(0, 5000), Scale(0, 1))
    points = attributes(plane.line([(step, 0.5 if step % 7 else math.nan) for step in range(5000)], "line"), "points")
    places = points[0].split()
    assert 300 <= len(places) <= 900
    assert {place.partition(",")[2] for place in places} == {"50"}


def test_the_y_axis_grows_upwards() -> None:
    plane = Plane(Scale(0, 1), Scale(0, 1))
    assert attributes(plane.line([(0, 0), (1, 1)], "line"), "points") == ["0,100 100,0"]

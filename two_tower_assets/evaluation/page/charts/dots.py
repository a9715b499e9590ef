"""A row of a dot plot: dots with the whiskers of their intervals on a common scale, to stand in a table's cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.markup import Html, element

Look = Literal["towers", "champion", "baseline", "best", "liked", "pass", "fail"]

_HEIGHT: Final = 26
_AXIS_HEIGHT: Final = 18
_EDGE: Final = 10.0


@dataclass(frozen=True)
class Dot:
    """One dot and, where it has an interval, its whisker."""

    interval: Interval
    look: Look


def dot_row(scale: Scale, dots: Sequence[Dot], label: str, *, under: Iterable[Html] = ()) -> Html:
    """Draw the dots, the last one on top.

    Args:
        scale: of all rows.
        dots: what to draw.
        label: the row in words, for those who do not see it.
        under: more marks, drawn first.
    """
    return element(
        "svg",
        [_upright(scale.at(value), "grid") for value, _ in scale.ticks()],
        under,
        [_whisker(scale, dot) for dot in dots],
        [element("circle", cx=_x(scale.at(dot.interval.mean)), cy="50%", r=5, class_=dot.look) for dot in dots],
        class_="dots",
        height=_HEIGHT,
        role="img",
        aria_label=label,
    )


def axis(scale: Scale) -> Html:
    """Labels below the rows."""
    labels = [
        element("text", label, x=_x(scale.at(value)), y=13, text_anchor=_anchor(scale.at(value)))
        for value, label in scale.ticks()
    ]
    return element("svg", labels, class_="axis", height=_AXIS_HEIGHT, aria_hidden="true")


def bullet(value: float, bound: float, *, at_least: bool, passed: bool, label: str) -> Html:
    """Draw a value beside the bound that it must keep; the side that is allowed is shaded."""
    scale = Scale.covering((value, bound), zero=True)
    edge = scale.at(bound)
    start, width = (edge, 100 - edge) if at_least else (0.0, edge)
    allowed = element("rect", x=_x(start), width=_x(width), y="25%", height="50%", class_="allowed")
    dot = Dot(Interval(mean=value), "pass" if passed else "fail")
    return dot_row(scale, [dot], label, under=[allowed, _upright(edge, "bound")])


def join_line(scale: Scale, start: float, end: float) -> Html:
    """Connect two dots of a row."""
    return element("line", x1=_x(scale.at(start)), x2=_x(scale.at(end)), y1="50%", y2="50%", class_="joint")


def _whisker(scale: Scale, dot: Dot) -> Html | None:
    low, high = dot.interval.low, dot.interval.high
    if low is None or high is None:
        return None
    return element(
        "line", x1=_x(scale.at(low)), x2=_x(scale.at(high)), y1="50%", y2="50%", class_=f"whisker {dot.look}"
    )


def _upright(at: float, look: str) -> Html:
    return element("line", x1=_x(at), x2=_x(at), y1="0", y2="100%", class_=look)


def _anchor(at: float) -> str:
    return "start" if at < _EDGE else "end" if at > 100 - _EDGE else "middle"


def _x(at: float) -> str:
    return f"{at:.2f}%"

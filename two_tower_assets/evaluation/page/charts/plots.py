"""Line and point charts with two axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.markup import Child, Html, element, number

_HEIGHT: Final = 230
_MOST_POINTS: Final = 400


@dataclass(frozen=True)
class Plane:
    """The two axes that all layers of a chart share."""

    x: Scale
    y: Scale

    def line(self, points: Sequence[tuple[float, float]], look: str) -> Html:
        """Connect points; long lines are thinned out."""
        kept = points[:: max(1, len(points) // _MOST_POINTS)]
        path = " ".join(f"{number(self.x.at(x))},{number(100 - self.y.at(y))}" for x, y in kept)
        line = element("polyline", points=path, class_=look)
        return element("svg", line, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")

    def point(self, x: float, y: float, look: str, *, tip: str, radius: float = 5) -> Html:
        """Draw a point that says more when it is pointed at or tapped."""
        return element("circle", cx=self._x(x), cy=self._y(y), r=radius, class_=look, data_tip=tip)

    def note(self, x: float, y: float, words: str) -> Html:
        """Write beside a point, to the side that has more room."""
        left = self.x.at(x) > 65
        return element(
            "text",
            words,
            x=self._x(x),
            y=self._y(y),
            dx=-9 if left else 9,
            dy=4,
            class_="note",
            text_anchor="end" if left else "start",
        )

    def upright(self, x: float, words: str) -> list[Html]:
        """Draw a line across the chart at some x."""
        line = element("line", x1=self._x(x), x2=self._x(x), y1="0", y2="100%", class_="mark")
        anchor = "end" if self.x.at(x) > 50 else "start"
        return [line, element("text", words, x=self._x(x), y=-5, class_="note", text_anchor=anchor)]

    def chart(self, *layers: Child, label: str, x_title: str, y_title: str) -> Html:
        """Put layers on the grid, with the titles of both axes.

        Args:
            layers: drawn in order.
            label: the chart in words, for those who do not see it.
            x_title: below.
            y_title: above.
        """
        drawn = element("svg", self._grid(), layers, class_="plot", height=_HEIGHT, role="img", aria_label=label)
        return element(
            "div",
            element("p", y_title, class_="y-title"),
            drawn,
            element("p", x_title, class_="x-title"),
            class_="chart",
        )

    def _grid(self) -> Iterable[Html]:
        for value, label in self.y.ticks():
            yield element("line", x1="0", x2="100%", y1=self._y(value), y2=self._y(value), class_="grid")
            yield element("text", label, x=-8, y=self._y(value), dy=4, text_anchor="end")
        for value, label in self.x.ticks(5):
            yield element("line", x1=self._x(value), x2=self._x(value), y1="0", y2="100%", class_="grid")
            yield element("text", label, x=self._x(value), y="100%", dy=16, text_anchor="middle")

    def _x(self, x: float) -> str:
        return f"{self.x.at(x):.2f}%"

    def _y(self, y: float) -> str:
        return f"{100 - self.y.at(y):.2f}%"

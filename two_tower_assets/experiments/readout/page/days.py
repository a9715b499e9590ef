"""The experiment over time: the difference with its band at each day's end, and who had entered by then."""

from __future__ import annotations

from two_tower_assets.evaluation.page.charts.plots import Plane
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import figure_box, missing, pair, section
from two_tower_assets.experiments.readout.figures import Comparison, Look, Readout
from two_tower_assets.experiments.readout.metrics import METRICS


def days(readout: Readout) -> Html:
    """A chart of the difference an arm, and one of the users of all."""
    return section(
        "days",
        "Day by day",
        "Each point is what was known at that day’s end (UTC), of the users whose window was over by then.",
        pair(*(_difference(readout.primary_of(verdict.arm)) for verdict in readout.verdicts), _entered(readout)),
    )


def _difference(comparison: Comparison) -> Html:
    title = f"{comparison.arm}: difference in {METRICS[comparison.metric].words}"
    sure = [
        (place, look)
        for place, look in enumerate(comparison.looks)
        if look.difference and look.difference.low is not None
    ]
    if not sure:
        return figure_box(title, missing("Nothing can be said yet."))
    ends = [end for _, look in sure if look.difference for end in (look.difference.low, look.difference.high)]
    plane = Plane(Scale(0, max(1, len(comparison.looks) - 1)), Scale.covering(ends, zero=True))
    zero = plane.line([(0, 0), (plane.x.high, 0)], "diagonal")
    lines = [
        plane.line([(place, _end(look, end)) for place, look in sure], "line quiet-line") for end in ("low", "high")
    ]
    means = plane.line([(place, _end(look, "mean")) for place, look in sure], "line")
    marks = [plane.point(place, _end(look, "mean"), "towers", tip=_tip(look), radius=3) for place, look in sure]
    chart = plane.chart(
        zero,
        lines,
        means,
        marks,
        label=f"{title}, {_tip(sure[-1][1])}",
        x_title=f"days since {comparison.looks[0].day}",
        y_title="difference to the control",
    )
    return figure_box(title, chart, caption="Blue: the difference. Grey: bounds that hold at all days together.")


def _entered(readout: Readout) -> Html:
    title = "Users who had entered"
    if not readout.entries:
        return figure_box(title, missing("Nobody has entered."))
    names = list(readout.entries[-1].users)
    most = max(readout.entries[-1].users.values())
    plane = Plane(Scale(0, len(readout.entries)), Scale(0, 1.06 * max(1, most)))
    looks = ["line quiet-line", *(["line"] * (len(names) - 1))] if len(names) > 1 else ["line"]
    lines = [
        plane.line([(0, 0), *((place, day.users[name]) for place, day in enumerate(readout.entries, start=1))], look)
        for name, look in zip(names, looks, strict=True)
    ]
    last = readout.entries[-1]
    said = ", ".join(f"{name}: {last.users[name]:,} users, {last.lists[name]:,} lists" for name in names)
    chart = plane.chart(
        lines, label=f"{title}: {said}", x_title=f"days since {readout.entries[0].day}", y_title="users"
    )
    caption = ["Grey: the control. " if len(names) > 1 else "", said, "."]
    return figure_box(title, chart, caption=element("span", caption))


def _end(look: Look, name: str) -> float:
    value = None if look.difference is None else getattr(look.difference, name)
    return float("nan") if value is None else float(value)


def _tip(look: Look) -> str:
    low, mean, high = (_end(look, name) for name in ("low", "mean", "high"))
    return f"{look.day:%Y-%m-%d}: {mean:+.3g}, {low:+.3g} to {high:+.3g}, {look.users:,} users"

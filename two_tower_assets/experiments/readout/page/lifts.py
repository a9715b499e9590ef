"""Each arm beside the control in every metric: the lift with its bounds, as dots and as numbers."""

from __future__ import annotations

from two_tower_assets.evaluation.page.charts.dots import Dot, Look, axis, dot_row
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.formats import percent
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, difference, missing, quiet, section, table
from two_tower_assets.experiments.readout.figures import Comparison, Guardrail, Readout
from two_tower_assets.experiments.readout.metrics import METRICS
from two_tower_assets.experiments.readout.words import percent_bounds

_COLUMNS = (
    Column("Metric"),
    Column("Lift, with bounds that hold at every look", "chart"),
    Column("Lift", "num"),
    Column("Difference", "num"),
    Column("CUPED leaves", "num wide", "Share of the variance that is left once what users did before is taken off"),
)


def lifts(readout: Readout) -> Html:
    """A table an arm."""
    return section(
        "lift",
        "Beside the control",
        "The bounds hold at all looks together: looking every day, and stopping when they leave zero, is safe.",
        [_arm(readout, verdict.arm) for verdict in readout.verdicts],
    )


def _arm(readout: Readout, arm: str) -> Html:
    found = [each for each in readout.comparisons if each.arm == arm]
    ends = [end for each in found if each.relative for end in (each.relative.low, each.relative.high)]
    means = [each.relative.mean for each in found if each.relative]
    if not means:
        return missing(f"No lift of {arm} can be said yet.")
    scale = Scale.covering([*ends, *means], zero=True)
    guarded = {each.comparison.metric: each for each in readout.guardrails if each.comparison.arm == arm}
    rows = [_row(each, scale, each.metric == readout.primary, guarded.get(each.metric)) for each in found]
    foot = Row("", [axis(scale, percent), "", "", ""], look="axis")
    return table(f"{arm} beside {readout.arms[0].arm}", _COLUMNS, rows, foot=foot, look="dotplot")


def _row(comparison: Comparison, scale: Scale, primary: bool, guardrail: Guardrail | None) -> Row:
    role = "primary" if primary else "" if guardrail is None else f"guardrail: {guardrail.state}"
    relative = comparison.relative
    label = percent_bounds(relative)
    look: Look = "towers" if primary else "best" if guardrail else "baseline"
    lift = None
    if relative is not None:
        ends = f"{percent(relative.low)} to {percent(relative.high)}" if relative.low is not None else ""
        lift = element("span", percent(relative.mean), element("small", ends) if ends else None, class_="measured")
    return Row(
        [METRICS[comparison.metric].words, element("small", role) if role else None],
        [
            None if relative is None else dot_row(scale, [Dot(relative, look)], label),
            lift,
            difference(comparison.difference),
            quiet("–" if comparison.variance_left is None else percent(comparison.variance_left)),
        ],
    )

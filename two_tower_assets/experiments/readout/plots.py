"""An experiment over time, as PNG bytes: the lift with its always-valid bounds, and who entered each arm."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from two_tower_assets.evaluation.png import png
from two_tower_assets.experiments.readout.figures import Comparison, Readout
from two_tower_assets.experiments.readout.metrics import METRICS

_COLOURS: Final = ("#57606a", "#1f6feb", "#bf8700", "#8250df", "#1a7f37", "#cf222e")


def over_time_plot(readout: Readout) -> bytes:
    """Difference in the primary metric by day, and users and lists by arm."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, verdict in zip(_COLOURS[1:], readout.verdicts, strict=False):
        _draw_lift(left, readout.primary_of(verdict.arm), colour)
    left.axhline(0, color=_COLOURS[0], linewidth=1)
    left.set_title(f"difference in {METRICS[readout.primary].words}", fontsize=10)
    for colour, arm in zip(_COLOURS, readout.entries[-1].users if readout.entries else (), strict=False):
        days = [day.day for day in readout.entries]
        right.plot(days, [day.users[arm] for day in readout.entries], color=colour, label=f"{arm}: users")
        right.plot(days, [day.lists[arm] for day in readout.entries], ":", color=colour, label=f"{arm}: lists")
    right.set_title("entered and served, by the day's end", fontsize=10)
    for axes in (left, right):
        axes.tick_params(axis="x", rotation=30, labelsize=7)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7)
    return png(figure)


def _draw_lift(axes: Axes, comparison: Comparison, colour: str) -> None:
    sure = [
        (look.day, look.difference.mean, look.difference.low, look.difference.high)
        for look in comparison.looks
        if look.difference is not None and look.difference.low is not None and look.difference.high is not None
    ]
    if not sure:
        return
    days, means, lows, highs = zip(*sure, strict=True)
    axes.plot(days, means, color=colour, marker=".", label=comparison.arm)
    axes.fill_between(days, lows, highs, color=colour, alpha=0.18, linewidth=0)

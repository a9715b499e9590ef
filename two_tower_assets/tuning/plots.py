"""The course of a study and what mattered in it, as PNG bytes for Dagster's event log."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from two_tower_assets.evaluation.plots import MODEL_COLOUR, OTHER_COLOURS
from two_tower_assets.evaluation.png import png
from two_tower_assets.tuning.history import best_so_far, completed, ended_early
from two_tower_assets.tuning.measure import METRIC
from two_tower_assets.tuning.records import Outcome

_MOST_BARS: Final = 12


def history_plot(outcome: Outcome) -> bytes:
    """recall@50 of each trial and the best so far."""
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.subplots()
    _scatter(axes, ended_early(outcome), OTHER_COLOURS[0], "ended early")
    _scatter(axes, completed(outcome), MODEL_COLOUR, "complete")
    corners = best_so_far(outcome)
    axes.plot([x for x, _ in corners], [y for _, y in corners], color=MODEL_COLOUR, label="best so far")
    axes.set(xlabel="trial", title=f"{METRIC} on the validation window")
    axes.legend(fontsize=8)
    return png(figure)


def importance_plot(outcome: Outcome) -> bytes:
    """How much each setting mattered."""
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    if not outcome.importances:
        figure.suptitle("too few trials are complete to tell what matters")
        return png(figure)
    axes = figure.subplots()
    shown = list(outcome.importances.items())[:_MOST_BARS][::-1]
    axes.barh([key for key, _ in shown], [value for _, value in shown], color=MODEL_COLOUR)
    axes.tick_params(axis="y", labelsize=8)
    axes.set_title("share of what matters for being among the best")
    return png(figure)


def _scatter(axes: Axes, points: list[tuple[int, float]], colour: str, label: str) -> None:
    if points:
        axes.plot([x for x, _ in points], [y for _, y in points], "o", color=colour, markersize=4, label=label)

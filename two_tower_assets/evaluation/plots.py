"""Plots of a fit and of a report, as PNG bytes small enough for Dagster's event log.

Figures are drawn on an Agg canvas of their own; pyplot's global state is never touched.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from two_tower_assets.evaluation.page.words import method_name, metric_name
from two_tower_assets.evaluation.report import MODEL, NDCG, RECALL, Group, Report
from two_tower_assets.evaluation.trials import GLOBAL
from two_tower_assets.training.trainer import Curves

MAX_BYTES: Final = 100_000
"""Larger images would bloat the event log they are stored in."""

_MODEL_COLOUR: Final = "#1f6feb"
_OTHER_COLOURS: Final = ("#8c959f", "#afb8c1", "#d0d7de", "#57606a")
_SMOOTHING: Final = 10


def curves_plot(curves: Curves) -> bytes:
    """Loss of each step, with its mean over the last ten, and what validation gave where it was measured."""
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_loss(left, np.asarray(curves.losses))
    _draw_validation(right, curves.validations)
    return as_png(figure)


def report_plot(report: Report) -> bytes:
    """The towers beside the baselines in the global split: NDCG@10 and recall@200 with their intervals."""
    figure = Figure(figsize=(7.5, 3.8), layout="constrained")
    trial = report.trial(GLOBAL)
    group = trial.groups.get(trial.judged)
    if group is None:
        figure.suptitle("; ".join(report.notes) or "nothing was measured")
        return as_png(figure)
    for axes, metric in zip(figure.subplots(1, 2, sharey=True), (NDCG, RECALL), strict=True):
        _draw_methods(axes, group, metric)
    figure.suptitle(f"{group.users:,} users, their {group.targets:,} LIKEs")
    return as_png(figure)


def _draw_methods(axes: Axes, group: Group, metric: str) -> None:
    names = [name for name in group.metrics if metric in group.metrics[name]][::-1]
    for at, name in enumerate(names):
        figure = group.metrics[name][metric]
        colour = _MODEL_COLOUR if name == MODEL else _OTHER_COLOURS[0]
        if figure.low is not None and figure.high is not None:
            axes.plot([figure.low, figure.high], [at, at], color=colour, linewidth=2, alpha=0.5)
        axes.plot(figure.mean, at, "o", color=colour)
        axes.annotate(f"{figure.mean:.3f}", (figure.mean, at), xytext=(0, 5), textcoords="offset points", fontsize=7)
    axes.set_yticks(range(len(names)), [method_name(name) for name in names], fontsize=8)
    # Room for the figure above the first point.
    axes.set_ylim(-0.6, len(names) - 0.2)
    axes.set_title(metric_name(metric))


def _draw_loss(axes: Axes, losses: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    axes.plot(np.arange(1, len(losses) + 1), losses, color=_OTHER_COLOURS[1], linewidth=0.8)
    if len(losses) >= _SMOOTHING:
        smooth = np.convolve(losses, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="valid")
        axes.plot(np.arange(_SMOOTHING, len(losses) + 1), smooth, color=_MODEL_COLOUR)
    axes.set(title="loss", xlabel="step")


def _draw_validation(axes: Axes, validations: list[tuple[int, float]]) -> None:
    axes.set(
        title="validation: recall@200 + NDCG@10" if validations else "validation was not measured", xlabel="step"
    )
    axes.plot(
        [steps for steps, _ in validations], [value for _, value in validations], marker="o", color=_MODEL_COLOUR
    )


def as_png(figure: Figure) -> bytes:
    """Draw a figure on a canvas of its own."""
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    image = stream.getvalue()
    assert len(image) < MAX_BYTES
    return image

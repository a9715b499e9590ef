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

from two_tower_assets.evaluation.report import MODEL, Report
from two_tower_assets.training.trainer import Curves

MAX_BYTES: Final = 100_000
"""Larger images would bloat the event log they are stored in."""

_MODEL_COLOUR: Final = "#1f6feb"
_OTHER_COLOURS: Final = ("#8c959f", "#afb8c1", "#d0d7de", "#57606a")
_SMOOTHING: Final = 10


def curves_plot(curves: Curves) -> bytes:
    """Loss of each step, with its mean over the last ten, and validation recall where it was measured."""
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_loss(left, np.asarray(curves.losses))
    _draw_recall(right, curves.recalls)
    return _png(figure)


def report_plot(report: Report) -> bytes:
    """The towers beside the baselines: every metric of the known users."""
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    methods = report.known_users.metrics
    names = list(next(iter(methods.values()), {}))
    width = 0.8 / max(1, len(methods))
    for number, (method, metrics) in enumerate(methods.items()):
        colour = _MODEL_COLOUR if method == MODEL else _OTHER_COLOURS[(number - 1) % len(_OTHER_COLOURS)]
        at = np.arange(len(names)) + (number - (len(methods) - 1) / 2) * width
        bars = axes.bar(at, [metrics[name] for name in names], width, label=method, color=colour)
        axes.bar_label(bars, fmt="%.2f", fontsize=6, padding=1)
    axes.set_xticks(np.arange(len(names)), names)
    axes.set_title(report.unmeasured or f"{report.known_users.users:,} users from {report.window.start:%Y-%m-%d} on")
    if methods:
        axes.legend(frameon=False, fontsize=8)
    return _png(figure)


def _draw_loss(axes: Axes, losses: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    axes.plot(np.arange(1, len(losses) + 1), losses, color=_OTHER_COLOURS[1], linewidth=0.8)
    if len(losses) >= _SMOOTHING:
        smooth = np.convolve(losses, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="valid")
        axes.plot(np.arange(_SMOOTHING, len(losses) + 1), smooth, color=_MODEL_COLOUR)
    axes.set(title="loss", xlabel="step")


def _draw_recall(axes: Axes, recalls: list[tuple[int, float]]) -> None:
    axes.set(title="validation recall@200" if recalls else "validation was not measured", xlabel="step")
    axes.plot([steps for steps, _ in recalls], [recall for _, recall in recalls], marker="o", color=_MODEL_COLOUR)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    image = stream.getvalue()
    assert len(image) < MAX_BYTES
    return image

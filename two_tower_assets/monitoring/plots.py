"""Plots of what was found, as PNG bytes small enough for Dagster's event log."""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from two_tower_assets.evaluation.png import png
from two_tower_assets.monitoring.records import DriftReport, LiveLikes, Reading, VectorHealth

_QUIET: Final = "#8c959f"
_DRIFTED: Final = "#d1242f"
_OWN: Final = "#1f6feb"


def drift_plot(report: DriftReport) -> bytes:
    """Every figure as a share of its bound, the farthest on top."""
    measured = sorted((each for each in report.readings if each.value is not None), key=_reach)
    figure = Figure(figsize=(7.5, 0.6 + 0.22 * max(1, len(measured))), layout="constrained")
    axes = figure.subplots()
    colours = [_DRIFTED if each.drifted else _QUIET for each in measured]
    axes.barh(range(len(measured)), [min(2.0, _reach(each)) for each in measured], color=colours)
    axes.set_yticks(range(len(measured)), [each.name for each in measured], fontsize=7)
    axes.axvline(1.0, color="#57606a", linestyle="--", linewidth=1)
    axes.set(xlim=(0, 2), title="distance from the training data, 1: the bound")
    return png(figure)


def likes_plot(likes: LiveLikes) -> bytes:
    """Like rates with their intervals, by version and source."""
    measured = [each for each in likes.rates if each.rate is not None][::-1]
    figure = Figure(figsize=(7.5, 0.9 + 0.35 * max(1, len(measured))), layout="constrained")
    axes = figure.subplots()
    for at, each in enumerate(measured):
        assert each.rate is not None
        low, high = each.rate.low or each.rate.mean, each.rate.high or each.rate.mean
        colour = _OWN if each.source == "model" else _QUIET
        axes.plot([low, high], [at, at], color=colour, linewidth=2, alpha=0.5)
        axes.plot(each.rate.mean, at, "o", color=colour)
    axes.set_yticks(range(len(measured)), [f"{each.model_version} {each.source}" for each in measured], fontsize=7)
    axes.set(title="LIKEs among decisions on what was served", ylim=(-0.6, len(measured) - 0.4))
    return png(figure)


def churn_plot(vectors: VectorHealth) -> bytes:
    """How many videos have changed how many of their neighbours."""
    figure = Figure(figsize=(7.5, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.hist(vectors.churn_of_videos, bins=20, range=(0, 1), color=_OWN)
    if vectors.chance_churn is not None:
        axes.axvline(vectors.chance_churn, color=_DRIFTED, linestyle="--", linewidth=1)
    axes.set(title="videos by the share of their neighbours that changed (dashed: by chance)", ylabel="videos")
    return png(figure)


def _reach(reading: Reading) -> float:
    return (reading.value or 0.0) / reading.bound

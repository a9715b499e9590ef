"""Seconds and memory of every stage over the number of decisions, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from two_tower_assets_tests.bench.growth.fitting import MEMORY_MIB, Growth


def draw(growths: Sequence[Growth], path: Path) -> None:
    """Write an SVG with a line a stage, its exponent in the legend."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    FigureCanvasSVG(figure)
    left, right = figure.subplots(1, 2)
    for growth in growths:
        sizes = [cost.decisions for cost in growth.costs]
        _line(left, sizes, [cost.seconds for cost in growth.costs], growth.stage, growth.time)
        _line(right, sizes, [cost.peak_mib for cost in growth.costs], growth.stage, growth.memory)
    right.axhline(MEMORY_MIB, color="black", linestyle=":", linewidth=1)
    for axes, title in ((left, "seconds"), (right, "resident memory, MiB")):
        axes.set(xscale="log", yscale="log", title=title, xlabel="decisions")
        axes.legend(fontsize=7)
    figure.savefig(path, format="svg")


def _line(axes: Axes, x: list[int], y: list[float], stage: str, exponent: float | None) -> None:
    label = stage if exponent is None else f"{stage}: {exponent:.2f}"
    axes.plot(x, y, marker="o", markersize=3, linewidth=1, label=label)

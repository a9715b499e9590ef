"""Plots of a fit and of a report as Mermaid charts, which GitHub draws in step summaries and comments.

The same as `plots` for places that show no pictures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import numpy as np

from two_tower_assets.evaluation.report import Group
from two_tower_assets.training.trainer import Curves

_MOST_POINTS: Final = 60
_FENCE: Final = "```"


def loss_chart(curves: Curves) -> str:
    """Loss against steps, each point the mean of equally many steps."""
    parts = np.array_split(np.asarray(curves.losses), min(_MOST_POINTS, len(curves.losses)))
    return _chart(
        "xychart-beta", "loss", f'"step" 1 --> {len(curves.losses)}', "line", [part.mean() for part in parts]
    )


def methods_chart(group: Group, metric: str) -> str:
    """One metric's mean for every method that has it, as bars."""
    names = [name for name in group.metrics if metric in group.metrics[name]]
    means = [group.metrics[name][metric].mean for name in names]
    labels = ", ".join(json.dumps(name) for name in names)
    # Bars that begin elsewhere than at 0 exaggerate.
    y_axis = f"  y-axis 0 --> {max([*means, 0.01]):.4g}"
    return _chart("xychart-beta horizontal", metric, f"[{labels}]", "bar", means, y_axis)


def _chart(kind: str, title: str, x_axis: str, shape: str, values: Sequence[float], *more: str) -> str:
    points = ", ".join(f"{value:.4g}" for value in values)
    lines = (kind, f"  title {json.dumps(title)}", f"  x-axis {x_axis}", *more, f"  {shape} [{points}]")
    return "\n".join((f"{_FENCE}mermaid", *lines, _FENCE))

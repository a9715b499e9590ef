from __future__ import annotations

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.mermaid import loss_chart, methods_chart
from two_tower_assets.evaluation.report import Group
from two_tower_assets.training.trainer import Curves


def test_bars_begin_at_zero_and_only_measured_methods_have_one() -> None:
    """Names are quoted, means have four digits, the axis ends at the largest."""
    figure = Interval(mean=0.25, low=None, high=None)
    group = Group(
        users=1, targets=1, metrics={"a": {"x": figure}, "b": {"x": Interval(mean=0.5, low=0.4, high=0.6)}, "c": {}}
    )
    assert methods_chart(group, "x").splitlines() == [
        "```mermaid",
        "xychart-beta horizontal",
        '  title "x"',
        '  x-axis ["a", "b"]',
        "  y-axis 0 --> 0.5",
        "  bar [0.25, 0.5]",
        "```",
    ]


def test_a_long_fit_is_drawn_by_means() -> None:
    """Every step counts once, in at most sixty points."""
    chart = loss_chart(Curves(losses=[float(step % 2) for step in range(600)]))
    assert '"step" 1 --> 600' in chart
    (line,) = (line for line in chart.splitlines() if line.startswith("  line"))
    assert line == f"  line [{', '.join(['0.5'] * 60)}]"

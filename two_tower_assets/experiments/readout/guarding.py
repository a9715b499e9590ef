"""Guardrails: whether an arm harms what it must not, whatever it does to the primary metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from two_tower_assets.experiments.readout.figures import Comparison, Guardrail, GuardState
from two_tower_assets.experiments.readout.metrics import METRICS

MARGIN: Final = 0.05
"""Largest harm that is put up with, as a share of the control's figure."""


def guard(comparisons: Iterable[Comparison], names: Iterable[str]) -> list[Guardrail]:
    """Judge each arm by every named metric that was measured; see `missing` for those that were not."""
    wanted = set(names)
    return [
        Guardrail(comparison=each, margin=MARGIN, state=_state(each)) for each in comparisons if each.metric in wanted
    ]


def missing(guardrails: Iterable[Guardrail], names: Iterable[str], arm: str) -> list[str]:
    """Guardrails of an arm that could not be measured at all."""
    measured = {each.comparison.metric for each in guardrails if each.comparison.arm == arm}
    return [name for name in names if name not in measured]


def _state(comparison: Comparison) -> GuardState:
    relative = comparison.relative
    if relative is None or relative.low is None or relative.high is None:
        return "not yet"
    more_is_better = METRICS[comparison.metric].more_is_better
    worst, best = (relative.low, relative.high) if more_is_better else (-relative.high, -relative.low)
    if worst >= -MARGIN:
        return "ruled out"
    return "harmed" if best < 0 else "not yet"

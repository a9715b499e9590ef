"""LIKEs a showing that a candidate would have earned: self-normalised, with users as what is independent.

Assumed: the chances that were logged are those that were used; whatever the candidate may show at a place, the
logging ranking showed there with a chance above zero; and a LIKE depends on the video and its place, not on what
else the candidate would have shown around it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from two_tower_assets.errors import ExperimentError
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.counterfactual.showings import Served
from two_tower_assets.experiments.moments import Numbers
from two_tower_assets.experiments.off_policy import Value, self_normalised

FEWEST_EFFECTIVE: Final = 100.0
"""Users; of fewer equally weighted ones, no interval can be trusted."""
LEAST_COVERED: Final = 0.9
"""Share of the candidate's showings that must have had a chance to be seen."""
_SURE: Final = 3.0
"""Standard errors by which the share must miss its bound to be refused."""


class CandidateValue(BaseModel):
    """What a candidate would have earned beside what was."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    users: int
    showings: int
    effective_users: float
    """Equally weighted users that would say as much (Kish)."""
    covered: float
    """Mean weight: 1 where everything that the candidate shows had a chance to be shown."""
    logged: Interval
    """LIKEs a showing of what was served."""
    candidate: Interval
    """LIKEs a showing that the candidate would have earned."""
    difference: Interval
    """The candidate's minus what was served, of the same users."""


def candidate_value(served: Served) -> CandidateValue:
    """Weigh what was served.

    Raises:
        ExperimentError: what was served says too little of the candidate, or its chances can be none.
    """
    showings, users = served.showings, int(served.user.max()) + 1
    weights = showings.weights
    _require_overlap(served, users)
    mean = self_normalised(showings).mean
    plain = float(showings.reward.mean())
    # The delta method, summed over each user: what each moves the two ratios by.
    moved = _sums(served, weights * (showings.reward - mean)) / weights.sum()
    still = _sums(served, showings.reward - plain) / len(weights)
    return CandidateValue(
        users=users,
        showings=len(weights),
        effective_users=_effective(served),
        covered=float(weights.mean()),
        logged=_interval(plain, still),
        candidate=_interval(mean, moved),
        difference=_interval(mean - plain, moved - still),
    )


def _require_overlap(served: Served, users: int) -> None:
    effective, weights = _effective(served), served.showings.weights
    if effective < FEWEST_EFFECTIVE:
        raise ExperimentError(
            f"What was served says too little of the candidate: its {users:,} users weigh as much as {effective:.0f}",
            where="public.served_lists.propensities",
            remedy=f"{FEWEST_EFFECTIVE:.0f} are needed: take more lists, or a candidate nearer to what is served.",
        )
    covered = float(weights.mean())
    error = _error(_sums(served, weights - covered) / len(weights))
    if covered + _SURE * error < LEAST_COVERED:
        raise ExperimentError(
            f"{1 - covered:.0%} of what the candidate shows was never shown with any chance",
            where="public.served_lists.propensities",
            remedy="Explore more (explore_share), so that what it shows is seen now and then; or run an A/B test.",
        )
    if covered - _SURE * error > 2 - LEAST_COVERED:
        raise ExperimentError(
            f"The candidate's chances add up to {covered:.2f} a place instead of 1",
            where="chance",
            remedy="Give the chance of each video at its place, given the places before it.",
        )


def _effective(served: Served) -> float:
    weight = _sums(served, served.showings.weights)
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def _sums(served: Served, each_N: Numbers) -> Numbers:
    """Sum up over each user, [U]."""
    return np.bincount(served.user, each_N).astype(np.float64)


def _error(moved_U: Numbers) -> float:
    users = len(moved_U)
    return float(np.sqrt((moved_U**2).sum() * users / (users - 1)))


def _interval(mean: float, moved_U: Numbers) -> Interval:
    low, high = Value(mean, _error(moved_U)).interval()
    return Interval(mean=mean, low=low, high=high)

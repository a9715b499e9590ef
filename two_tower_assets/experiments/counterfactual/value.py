"""LIKEs a showing that a candidate would have earned, by three estimates, with users as what is independent.

Assumed: the chances are true; whatever the candidate may show, the logging ranking showed with a chance above zero;
and a LIKE depends on the video and on what the chances are of (its place, or the list: `places.By`), not on what else
the candidate would have shown around it.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from two_tower_assets.errors import ExperimentError
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.off_policy import (
    Foretold,
    Showings,
    Value,
    as_seen,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)

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
    """LIKEs a showing that the candidate would have earned: the self-normalised estimate."""
    difference: Interval
    """The candidate's minus what was served, of the same users."""
    inverse_propensity: Interval
    """The same value as `candidate`, weighed only."""
    doubly_robust: Interval | None
    """The same value as `candidate`, predicted and corrected; None where nothing predicts."""


def candidate_value(showings: Showings, foretold: Foretold | None = None) -> CandidateValue:
    """Weigh what was served.

    Args:
        showings: what was served, and the candidate's chances.
        foretold: LIKEs that a model predicts; None: no model does.

    Raises:
        ExperimentError: what was served says too little of the candidate, or its chances can be none.
    """
    covered = showings.mean(showings.weights)
    _require_overlap(showings, covered)
    logged, candidate = showings.mean(showings.reward), self_normalised(showings)
    return CandidateValue(
        users=showings.users,
        showings=len(showings.reward),
        effective_users=showings.effective,
        covered=covered.mean,
        logged=_interval(logged),
        candidate=_interval(candidate),
        difference=_interval(candidate.minus(logged)),
        inverse_propensity=_interval(inverse_propensity(showings)),
        doubly_robust=_interval(doubly_robust(showings, as_seen(showings, foretold))) if foretold else None,
    )


def _require_overlap(showings: Showings, covered: Value) -> None:
    effective = showings.effective
    if effective < FEWEST_EFFECTIVE:
        raise ExperimentError(
            f"What was served says too little of the candidate: its {showings.users:,} users weigh as much as "
            f"{effective:.0f}",
            where="public.served_lists.propensities",
            remedy=f"{FEWEST_EFFECTIVE:.0f} are needed: take more lists, or a candidate nearer to what is served.",
        )
    if covered.mean + _SURE * covered.error < LEAST_COVERED:
        raise ExperimentError(
            f"{1 - covered.mean:.0%} of what the candidate shows was never shown with any chance",
            where="public.served_lists.propensities",
            remedy="Explore more (explore_share), take places alike (--by list), or run an A/B test.",
        )
    if covered.mean - _SURE * covered.error > 2 - LEAST_COVERED:
        raise ExperimentError(
            f"The candidate's chances add up to {covered.mean:.2f} a place instead of 1",
            where="chance",
            remedy="Give the chance of each video at its place, given the places before it.",
        )


def _interval(value: Value) -> Interval:
    low, high = value.interval()
    return Interval(mean=value.mean, low=low, high=high)

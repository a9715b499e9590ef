"""From scores to like probabilities: the fit of `sigmoid(a · score + b)`. How good it is, `calibration` measures.

Letters: N decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RIDGE: Final = 1e-3
"""Weight of a² / 2, for standardised scores, beside the summed log loss: far less than one decision says, yet it
keeps a finite where a threshold separates LIKEs from NOPEs."""

_MAX_STEPS: Final = 100
_HALVINGS: Final = 60
_CONVERGED: Final = 1e-12


class LikeCalibration(NamedTuple):
    """The probability of a LIKE is sigmoid(a · score + b)."""

    a: float
    b: float

    def probability(self, score_N: NDArray[np.floating]) -> NDArray[np.float64]:
        """Float64 0…1, of any shape."""
        return _sigmoid(self.a * score_N.astype(np.float64) + self.b)


def fit_calibration(score_N: NDArray[np.floating], liked_N: NDArray[np.bool_]) -> LikeCalibration:
    """Fit a and b by logistic regression of LIKE on the score (Platt 1999, without his smoothed targets).

    Newton's method with step halving on the log loss plus a tiny ridge on a. That is strictly convex, so the
    answer does not depend on the start, and it scales with the scores: the unit of a score does not matter.

    Args:
        score_N: finite scores, such as similarities, of decisions that the scoring model was not fitted on.
        liked_N: whether each decision was a LIKE.

    Returns:
        a may be negative, where higher scores are liked less. Where a score says nothing (all decisions of one kind,
        all scores equal, no decision at all), a is 0 and the probability is the base rate: of one kind alone
        (likes + ½) / (decisions + 1), so that it is never quite 0 or 1.
    """
    assert np.isfinite(score_N).all()
    score_N = score_N.astype(np.float64)
    likes, decisions = int(liked_N.sum()), len(liked_N)
    if likes in {0, decisions}:
        return LikeCalibration(0.0, _logit((likes + 0.5) / (decisions + 1)))
    mean, spread = score_N.mean(), score_N.std()
    # the mean of equal numbers may round, and leave a spread
    if score_N.min() == score_N.max():
        return LikeCalibration(0.0, _logit(likes / decisions))
    design = np.stack([(score_N - mean) / spread, np.ones(decisions)], axis=1)
    a, b = _newton(_Regression(design, liked_N))
    return LikeCalibration(float(a / spread), float(b - a * mean / spread))


@dataclass(frozen=True)
class _Regression:
    """The objective as a function of `at`, float64 [a, b]: log loss plus ridge."""

    design: NDArray[np.float64]
    """[N, 2] standardised scores, and ones."""
    liked_N: NDArray[np.bool_]

    def loss(self, at: NDArray[np.float64]) -> float:
        logit_N = self.design @ at
        loss_N = np.logaddexp(0, logit_N) - self.liked_N * logit_N
        return float(loss_N.sum() + RIDGE * at[0] ** 2 / 2)

    def newton_step(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve curvature · step = −slope."""
        probability_N = _sigmoid(self.design @ at)
        ridge = np.array([RIDGE, 0.0])
        slope = self.design.T @ (probability_N - self.liked_N) + ridge * at
        weight_N = probability_N * (1 - probability_N)
        curvature = (self.design.T * weight_N) @ self.design + np.diag(ridge)
        return np.linalg.solve(curvature, -slope).astype(np.float64)

    def shortened(self, at: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
        """Halve a step until the loss does not rise; nothing is left of one that leads up."""
        here = self.loss(at)
        steps = (step * 0.5**halvings for halvings in range(_HALVINGS))
        return next((shorter for shorter in steps if self.loss(at + shorter) <= here), np.zeros(2))


def _newton(regression: _Regression) -> NDArray[np.float64]:
    at = np.array([0.0, _logit(regression.liked_N.mean())])
    for _ in range(_MAX_STEPS):
        step = regression.shortened(at, regression.newton_step(at))
        at += step
        if (np.abs(step) <= _CONVERGED * (1 + np.abs(at))).all():
            break
    return at


def _sigmoid(logit_N: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-np.logaddexp(0, -logit_N))


def _logit(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))

"""What a ranking would earn that nobody has seen yet, from lists that another one chose by known chances.

Horvitz and Thompson (1952) weigh what was shown by how much likelier the candidate shows it (IPS). Swaminathan and
Joachims, "The self-normalized estimator for counterfactual learning" (NeurIPS 2015), divide by the sum of the
weights. Dudík, Langford and Li, "Doubly robust policy evaluation and learning" (ICML 2011), add to a prediction what
it got wrong. All assume that whatever the candidate may show, the logging ranking showed with a chance above zero.

Letters: N showings.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from two_tower_assets.experiments.moments import Numbers


@dataclass(frozen=True)
class Showings:
    """What was shown and what came of it, each float64 [N]."""

    reward: Numbers
    """1 for a LIKE, else 0; or any other figure."""
    shown: Numbers
    """Chance with which the logging ranking showed this video; above 0."""
    wanted: Numbers
    """Chance with which the candidate shows it."""

    def __post_init__(self) -> None:
        """Refuse chances that are none.

        Raises:
            ValueError: a chance is not in (0, 1] (shown) or [0, 1] (wanted), or the lengths differ.
        """
        if not len(self.reward) == len(self.shown) == len(self.wanted):
            raise ValueError("rewards and chances are of different lengths")
        if not ((self.shown > 0) & (self.shown <= 1) & (self.wanted >= 0) & (self.wanted <= 1)).all():
            raise ValueError("a chance is not between 0 and 1, or a video was shown that had no chance")

    @property
    def weights(self) -> Numbers:
        """How much likelier the candidate shows each, [N]."""
        return self.wanted / self.shown

    @property
    def effective(self) -> float:
        """How many equally weighted showings say as much (Kish): of few, no interval can be trusted."""
        total = float((self.weights**2).sum())
        return float(self.weights.sum()) ** 2 / total if total else 0.0


@dataclass(frozen=True)
class Value:
    """Reward a showing that the candidate would earn."""

    mean: float
    error: float
    """Standard error."""

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Normal bounds."""
        width = NormalDist().inv_cdf((1 + confidence) / 2) * self.error
        return self.mean - width, self.mean + width


def inverse_propensity(showings: Showings) -> Value:
    """Weigh rewards: unbiased, and noisy where weights are large."""
    return _value(showings.weights * showings.reward)


def self_normalised(showings: Showings) -> Value:
    """Weigh rewards and divide by the weights: a little biased, steadier, and never outside the rewards."""
    weights = showings.weights
    mean = float((weights * showings.reward).sum() / weights.sum()) if weights.sum() else float("nan")
    # The delta method: what each showing moves the ratio by.
    moved = weights * (showings.reward - mean) / weights.mean()
    return Value(mean, _value(moved).error)


def doubly_robust(showings: Showings, predicted: Numbers, expected: Numbers) -> Value:
    """Correct a prediction by what it got wrong where it was tried: right if the chances or the prediction are.

    Args:
        showings: what was shown.
        predicted: reward foretold of the video that was shown, float64 [N].
        expected: reward foretold of the candidate in the same place, in the mean over what it may show, float64 [N].
    """
    return _value(expected + showings.weights * (showings.reward - predicted))


def _value(each_N: Numbers) -> Value:
    return Value(float(each_N.mean()), float(each_N.std(ddof=1)) / float(np.sqrt(len(each_N))))

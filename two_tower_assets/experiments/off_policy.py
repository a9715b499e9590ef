"""What a ranking would earn that nobody has seen yet, from lists that another one chose by known chances.

Horvitz and Thompson (1952) weigh what was shown by how much likelier the candidate shows it (IPS). Swaminathan and
Joachims, "The self-normalized estimator for counterfactual learning" (NeurIPS 2015), divide by the sum of the
weights. Dudík, Langford and Li, "Doubly robust policy evaluation and learning" (ICML 2011), add to a prediction what
it got wrong. All assume that whatever the candidate may show, the logging ranking showed with a chance above zero.
Errors take users as what is independent: the showings of one may depend on each other as they like.

Letters: N showings, U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

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
    user: NDArray[np.int64]
    """Whose, as a number from 0 on that leaves none out."""

    def __post_init__(self) -> None:
        """Refuse chances that are none.

        Raises:
            ValueError: a chance is not in (0, 1] (shown) or [0, 1] (wanted), or the lengths differ.
        """
        if not len(self.reward) == len(self.shown) == len(self.wanted) == len(self.user):
            raise ValueError("rewards, chances and users are of different lengths")
        if not ((self.shown > 0) & (self.shown <= 1) & (self.wanted >= 0) & (self.wanted <= 1)).all():
            raise ValueError("a chance is not between 0 and 1, or a video was shown that had no chance")

    @property
    def users(self) -> int:
        """How many there are."""
        return int(self.user.max()) + 1

    @property
    def weights(self) -> Numbers:
        """How much likelier the candidate shows each, [N]."""
        return self.wanted / self.shown

    @property
    def effective(self) -> float:
        """How many equally weighted users say as much (Kish): of few, no interval can be trusted."""
        weight_U = self.summed(self.weights)
        squares = float((weight_U**2).sum())
        return float(weight_U.sum()) ** 2 / squares if squares else 0.0

    def summed(self, each_N: Numbers) -> Numbers:
        """Sum up over each user, [U]."""
        return np.bincount(self.user, each_N).astype(np.float64)

    def mean(self, each_N: Numbers) -> Value:
        """Return a showing's mean."""
        mean = float(each_N.mean())
        return Value(mean, self.summed(each_N - mean) / len(each_N))


@dataclass(frozen=True)
class Foretold:
    """Rewards that a model predicts, each float64 [N]."""

    shown: Numbers
    """Of the video that was shown; NaN where it predicts nothing, which is only where the candidate shows nothing."""
    candidate: Numbers
    """Of the candidate in the same place, in the mean over what it may show."""


@dataclass(frozen=True)
class Value:
    """Reward a showing that a ranking would earn."""

    mean: float
    moved_U: Numbers
    """What each user moves the mean by, in the first order; they sum to 0."""

    @property
    def error(self) -> float:
        """Standard error."""
        users = len(self.moved_U)
        return float(np.sqrt((self.moved_U**2).sum() * users / (users - 1)))

    def minus(self, other: Value) -> Value:
        """Return the difference of two values of the same users."""
        return Value(self.mean - other.mean, self.moved_U - other.moved_U)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Normal bounds."""
        width = NormalDist().inv_cdf((1 + confidence) / 2) * self.error
        return self.mean - width, self.mean + width


def inverse_propensity(showings: Showings) -> Value:
    """Weigh rewards: unbiased, and noisy where weights are large."""
    return showings.mean(showings.weights * showings.reward)


def self_normalised(showings: Showings) -> Value:
    """Weigh rewards and divide by the weights, some of which are above 0.

    A little biased, steadier, and never outside the rewards.
    """
    weights = showings.weights
    total = float(weights.sum())
    mean = float((weights * showings.reward).sum()) / total
    # The delta method: what each user moves the ratio by.
    return Value(mean, showings.summed(weights * (showings.reward - mean)) / total)


def doubly_robust(showings: Showings, foretold: Foretold) -> Value:
    """Correct a prediction by what it got wrong where it was tried: right if the chances or the prediction are."""
    wrong = np.where(showings.wanted > 0, showings.reward - foretold.shown, 0.0)
    return showings.mean(foretold.candidate + showings.weights * wrong)


def as_seen(showings: Showings, foretold: Foretold) -> Foretold:
    """Multiply a prediction by one factor, so that of what was shown it foretells as much as came.

    A model may foretell what is liked of what people look at, and nobody looks at every place. Where the chances
    are true, the factor moves the doubly robust value by less than its error whatever it is, so that it is not
    counted as a cause of error.
    """
    known = np.isfinite(foretold.shown)
    total = float(foretold.shown[known].sum())
    factor = float(showings.reward[known].sum()) / total if total else 1.0
    return Foretold(foretold.shown * factor, foretold.candidate * factor)

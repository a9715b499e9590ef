"""Which lift an experiment of some size would show, and how many users a lift of some size needs."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np

from two_tower_assets.experiments.sequences import FEWEST_USERS, margin

POWER: Final = 0.8
_MOST_USERS: Final = 1e12


def detectable(users: float, deviation: float, *, confidence: float = 0.95, always_valid: bool = True) -> float:
    """Return the smallest true difference that a look at so many users shows with a chance of `POWER`.

    Looks before it only add to that chance.

    Args:
        users: in two arms of equal size.
        deviation: standard deviation of one user's outcome, after CUPED.
        confidence: of the bounds.
        always_valid: bounds that may be looked at every day, planned for so many users; else those for one look.
    """
    width, error = _width_and_error(users, deviation, confidence=confidence, always_valid=always_valid)
    return width + NormalDist().inv_cdf(POWER) * error


def power_of(
    difference: float, users: float, deviation: float, *, confidence: float = 0.95, always_valid: bool = True
) -> float:
    """Return the chance that a look at so many users shows a true difference; arguments as of `detectable`."""
    width, error = _width_and_error(users, deviation, confidence=confidence, always_valid=always_valid)
    return NormalDist().cdf((difference - width) / error)


def users_needed(
    difference: float, deviation: float, *, confidence: float = 0.95, always_valid: bool = True
) -> float:
    """Return the users in both arms with whom `difference` is `detectable`; infinite where no number is enough."""
    if difference <= 0:
        return math.inf
    low, high = float(FEWEST_USERS), float(FEWEST_USERS)
    while detectable(high, deviation, confidence=confidence, always_valid=always_valid) > difference:
        low, high = high, 2 * high
        if high > _MOST_USERS:
            return math.inf
    while high - low > 1:
        middle = (low + high) / 2
        enough = detectable(middle, deviation, confidence=confidence, always_valid=always_valid) <= difference
        low, high = (low, middle) if enough else (middle, high)
    return math.ceil(high)


def _width_and_error(users: float, deviation: float, *, confidence: float, always_valid: bool) -> tuple[float, float]:
    """Half the width of the bounds, and the standard error of the difference."""
    # Two arms of n / 2: the difference of their means has the variance 4 σ² / n.
    error = 2 * deviation / math.sqrt(users)
    if always_valid:
        return 2 * deviation * float(margin(np.asarray(users), users, 1 - confidence)), error
    return NormalDist().inv_cdf((1 + confidence) / 2) * error, error

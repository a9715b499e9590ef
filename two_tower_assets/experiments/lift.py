"""How much more an arm's users did than the control's, with what they did before taken off the noise (CUPED).

Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment
data" (WSDM 2013), section 3.2: y − θ (x − E x) has the same mean in expectation and, with θ = cov(x, y) / var(x), the
least variance, (1 − ρ²) var(y).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from two_tower_assets.experiments.moments import Moments, Numbers
from two_tower_assets.experiments.sequences import margin

_ALMOST_NONE = 1e-12


@dataclass(frozen=True)
class Lift:
    """The difference of two means and how uncertain it is, each float64 [S]."""

    difference: Numbers
    variance: Numbers
    """Of the difference."""
    users: Numbers
    """In both arms."""

    def fixed(self, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
        """Bounds that hold at one look that was planned beforehand: the normal interval."""
        width = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(self.variance)
        return self.difference - width, self.difference + width

    def always_valid(self, planned_users: float, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
        """Bounds that hold at all looks together, however often and for whatever reason one looks.

        Args:
            planned_users: in both arms, when the bounds are to be narrowest; must not depend on the outcome.
            confidence: that no look of all is wrong.
        """
        width = np.sqrt(self.variance * self.users) * margin(self.users, planned_users, 1 - confidence)
        return self.difference - width, self.difference + width


def lift(control: Moments, arm: Moments, *, cuped: bool = True) -> Lift:
    """Compare an arm with the control.

    Args:
        control: users of the one.
        arm: users of the other.
        cuped: whether what users did before is made use of; without any, it changes nothing.
    """
    theta = _theta(control, arm) if cuped else np.zeros_like(control.outcome)
    difference = (arm.mean - control.mean) - theta * (arm.mean_before - control.mean_before)
    variance = sum((_variance(each, theta) / each.users for each in (control, arm)), start=np.zeros_like(theta))
    return Lift(difference, variance, control.users + arm.users)


def variance_share(control: Moments, arm: Moments) -> Numbers:
    """Return var(y − θ x) / var(y), [S]: what CUPED leaves of the variance."""
    theta = _theta(control, arm)
    left = sum((_variance(each, theta) * each.users for each in (control, arm)), start=np.zeros_like(theta))
    whole = sum((each.variance * each.users for each in (control, arm)), start=np.zeros_like(theta))
    return left / whole


def _theta(control: Moments, arm: Moments) -> Numbers:
    """One θ for both arms: of its own in each, the difference of the means of x would not cancel in expectation."""
    covariance = control.covariance * control.users + arm.covariance * arm.users
    variance = control.variance_before * control.users + arm.variance_before * arm.users
    return np.divide(covariance, variance, out=np.zeros_like(covariance), where=variance > _ALMOST_NONE)


def _variance(moments: Moments, theta: Numbers) -> Numbers:
    return moments.variance - 2 * theta * moments.covariance + theta**2 * moments.variance_before

"""Always-valid bounds: a margin around a mean of n users that holds at every n at once.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences" (Annals of Statistics 2024), theorem 2.2. Asymptotic as the normal interval is: `FEWEST_USERS` come before
the first look.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from two_tower_assets.experiments.moments import Numbers

FEWEST_USERS: Final = 200
"""In both arms; before it nothing is claimed: the mean of fewer is not normal yet where outcomes are skewed."""


def margin(users: Numbers, planned_users: float, alpha: float) -> Numbers:
    """Half the width of the bounds in standard deviations of a user, [S]; infinite before `FEWEST_USERS`.

    Args:
        users: n, [S].
        planned_users: the n at which the margin is narrowest beside what it could be.
        alpha: chance that the bounds are wrong at any n.
    """
    n, rho2 = np.maximum(users, 1.0), rho_squared(planned_users, alpha)
    width = np.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * (np.log(n * rho2 + 1) / 2 - math.log(alpha)))
    return np.where(users >= FEWEST_USERS, width, np.inf)


def rho_squared(planned_users: float, alpha: float) -> float:
    """ρ² for which the margin at so many users is narrowest: their appendix B.2, in its closed form."""
    twice = -2 * math.log(alpha)
    return (twice + math.log(twice + 1)) / planned_users

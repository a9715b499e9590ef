"""Whether users fell into the arms as they should have: a sample-ratio-mismatch alarm for a look every day.

Lindon and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022), equation 9: the Bayes factor of
unknown shares (a Dirichlet prior around the planned ones) against the planned ones. It is a martingale while the plan
holds, so that it ever reaches 1/α with a chance of at most α.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

ALARM: Final = 0.001
"""A plan that holds is doubted in so many experiments, however often one looks."""

CONCENTRATION: Final = 1000.0
"""Of the prior: shares that differ by a percent or two are what broken assignments look like."""


def mismatch(users: Sequence[int], shares: Sequence[float]) -> float:
    """Return the always-valid p-value of the planned shares at this look; of several looks the smallest counts.

    Args:
        users: by arm.
        shares: planned, by arm; they add up to 1.

    Raises:
        ValueError: the shares don't add up to 1, or one of them is not positive.
    """
    if not math.isclose(sum(shares), 1) or min(shares) <= 0:
        raise ValueError(f"shares of arms are positive and add up to 1: {list(shares)}")
    prior = [CONCENTRATION * share for share in shares]
    factor = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + sum(users))
    for count, share, weight in zip(users, shares, prior, strict=True):
        factor += math.lgamma(weight + count) - math.lgamma(weight) - count * math.log(share)
    return math.exp(min(0.0, -factor))

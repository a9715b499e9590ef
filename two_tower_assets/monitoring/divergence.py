"""How far two distributions over the same bins lie apart: one function a measure, each with its formula and source.

Shares are float64 [..., K]: along the last axis they are not negative and add up to 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]

_RARE: Final = 1e-4
"""A bin in which nobody was counts as this share of everything: PSI knows no zero."""


def psi(reference: Shares, current: Shares) -> Shares:
    """Return the population stability index Σ (q − p) ln(q / p), float64 [...]: 0 where both are equal, else more.

    It is the symmetric divergence of Jeffreys (1946, "An invariant form for the prior probability in estimation
    problems"); as a stability index: Siddiqi, "Credit Risk Scorecards" (2006). Shares below 0.0001 count as that.

    Args:
        reference: p, [..., K].
        current: q, [..., K].
    """
    p, q = (np.maximum(shares, _RARE) for shares in (reference, current))
    p, q = (shares / shares.sum(axis=-1, keepdims=True) for shares in (p, q))
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def jensen_shannon(reference: Shares, current: Shares) -> Shares:
    """Return the Jensen–Shannon divergence in bits, ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = ½ (p + q), float64 [...].

    0 where both are equal, 1 where no bin is in both: Lin, "Divergence measures based on the Shannon entropy" (IEEE
    Transactions on Information Theory, 1991).

    Args:
        reference: p, [..., K].
        current: q, [..., K].
    """
    middle = (reference + current) / 2
    return np.asarray((_relative_entropy(reference, middle) + _relative_entropy(current, middle)) / 2)


def difference(reference: Shares, current: Shares) -> Shares:
    """Return |q − p| of the last bin, float64 [...]: by how many points a share has moved."""
    return np.asarray(np.abs(current[..., -1] - reference[..., -1]))


def _relative_entropy(shares: Shares, middle: Shares) -> Shares:
    # Half of the smallest number is zero.
    there = (shares > 0) & (middle > 0)
    ratio = np.divide(shares, middle, out=np.ones(np.broadcast(shares, middle).shape), where=there)
    bits: Shares = np.where(there, shares * np.log2(ratio), 0.0).sum(axis=-1)
    # Rounding of equal shares must not look like less than nothing.
    return np.maximum(bits, 0.0)

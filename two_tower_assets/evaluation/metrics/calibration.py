"""Whether a like probability means what it says: Brier score, log loss, reliability and calibration error.

Letters: N decisions, B bins. `probability_N` is float64 0…1, `liked_N` says whether the decision was a LIKE. All
figures are NaN without decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.ratio import divide


def brier_score(probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_]) -> float:
    """Mean of (probability − liked)². Brier, Monthly Weather Review 78 (1950), for two classes, so 0…1."""
    return _mean((probability_N - liked_N) ** 2)


def log_loss(probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_]) -> float:
    """Mean of −ln of the probability given to what happened.

    A probability of 0 or 1 is moved inside by the machine epsilon, so that one wrong certainty costs 36 and not ∞.
    """
    epsilon = np.finfo(np.float64).eps
    given_N = np.where(liked_N, probability_N, 1 - probability_N)
    return _mean(-np.log(np.clip(given_N, epsilon, 1 - epsilon)))


@dataclass(frozen=True)
class Reliability:
    """The table behind a reliability diagram, by ascending probability; no bin is empty."""

    count_B: NDArray[np.int64]
    predicted_B: NDArray[np.float64]
    """Mean probability."""
    observed_B: NDArray[np.float64]
    """Share of LIKEs."""

    @property
    def expected_calibration_error(self) -> float:
        """Mean over decisions of |predicted − observed| of their bin.

        Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (AAAI 2015), with bins of
        equal mass as in Nguyen and O'Connor (EMNLP 2015): bins of equal width are all but empty where nobody is.
        """
        return float(divide(self.count_B @ np.abs(self.predicted_B - self.observed_B), self.count_B.sum()))


def reliability(probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_], *, bins: int = 10) -> Reliability:
    """Compare predicted and observed like shares in bins that hold about as many decisions each.

    Bins end at the quantiles 1/bins, 2/bins, …; equal probabilities share a bin, so many ties make fewer bins.
    """
    if not len(probability_N):
        return Reliability(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    edges = np.quantile(probability_N, np.arange(1, bins) / bins)
    bin_N = np.searchsorted(edges, probability_N)
    count_B = np.bincount(bin_N, minlength=bins)
    used = count_B > 0
    predicted_B = np.bincount(bin_N, weights=probability_N, minlength=bins)
    observed_B = np.bincount(bin_N, weights=liked_N, minlength=bins)
    return Reliability(count_B[used], predicted_B[used] / count_B[used], observed_B[used] / count_B[used])


def _mean(value_N: NDArray[np.float64]) -> float:
    return float(value_N.mean()) if len(value_N) else float("nan")

"""Whether a like probability means what it says, and the two numbers that make one from a similarity.

Letters: N decisions, of which some are LIKEs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BINS: Final = 10
_TINY: Final = 1e-12
_RIDGE: Final = 1e-3
_ROUNDS: Final = 50


class Bin(NamedTuple):
    """Decisions of about the same probability."""

    mean_probability: float
    like_share: float
    decisions: int


def fit_calibration(similarity_N: NDArray[np.float64], liked_N: NDArray[np.bool_]) -> tuple[float, float]:
    """Return (a, b) such that sigmoid(a · similarity + b) is the chance of a LIKE.

    Logistic regression by Newton's method (Platt 1999), with a ridge of 0.001 on a so that separable decisions have
    an answer. Where all decisions are of one kind a is 0 and b the log-odds of the smoothed base rate.
    """
    likes = int(liked_N.sum())
    if likes in {0, len(liked_N)}:
        rate = (likes + 1) / (len(liked_N) + 2)
        return 0.0, float(np.log(rate / (1 - rate)))
    design = np.column_stack([similarity_N, np.ones(len(similarity_N))])
    ridge = np.array([_RIDGE, 0.0])
    weights = np.zeros(2)
    for _ in range(_ROUNDS):
        probability_N = sigmoid(design @ weights)
        gradient = design.T @ (probability_N - liked_N) + ridge * weights
        curvature = (design * (probability_N * (1 - probability_N) + _TINY)[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < _TINY:
            break
    return float(weights[0]), float(weights[1])


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + e^−x) without overflow."""
    half: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * x))
    return half


def brier_score(probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_]) -> float:
    """Mean of (probability − liked)² (Brier 1950)."""
    return float(((probability_N - liked_N) ** 2).mean())


def log_loss(probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_]) -> float:
    """Mean of −log of the probability given to what happened."""
    given_N = np.where(liked_N, probability_N, 1 - probability_N)
    return float(-np.log(np.maximum(given_N, _TINY)).mean())


def reliability(
    probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_], *, bins: int = _BINS
) -> tuple[Bin, ...]:
    """Bins of as equal numbers of decisions as can be, by ascending probability."""
    order = np.argsort(probability_N, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(Bin(float(probability_N[part].mean()), float(liked_N[part].mean()), len(part)) for part in parts)


def expected_calibration_error(
    probability_N: NDArray[np.float64], liked_N: NDArray[np.bool_], *, bins: int = _BINS
) -> float:
    """Mean over decisions of |mean probability − share of LIKEs| of their bin (Naeini et al., AAAI 2015)."""
    parts = reliability(probability_N, liked_N, bins=bins)
    off = sum(part.decisions * abs(part.mean_probability - part.like_share) for part in parts)
    return float(off / len(liked_N))

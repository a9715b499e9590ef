"""Maximal marginal relevance as the functions compute it (`_shared/diversity.ts`), operation by operation.

Carbonell and Goldstein, SIGIR 1998: the next video is good, and not the same again. Letters: C candidates, T tags.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.moments import Numbers

NO_MAKER: Final = -1
_MAKER_SHARE: Final = 0.5


def likeness(maker_C: NDArray[np.int64], tagged_CT: NDArray[np.bool_]) -> Numbers:
    """How alike candidates are, [C, C]: half the same maker, and half the share of common tags.

    Args:
        maker_C: a number for each maker, `NO_MAKER` for none.
        tagged_CT: which of the tags each has.
    """
    maker_CC = _MAKER_SHARE * ((maker_C[:, None] == maker_C) & (maker_C != NO_MAKER))
    tags_CT = tagged_CT.astype(np.float64)
    common_CC, count_C = tags_CT @ tags_CT.T, tags_CT.sum(axis=1)
    all_CC = count_C[:, None] + count_C - common_CC
    return np.asarray(maker_CC + (1 - _MAKER_SHARE) * common_CC / np.maximum(all_CC, 1))


def diversified(score_C: Numbers, alike_CC: Numbers, length: int, diversity_lambda: float) -> NDArray[np.int64]:
    """Choose at most so many candidates, in order.

    Each next one has the most of λ · relevance − (1 − λ) · likeness to the most alike before; relevance is the score
    between the least (0) and the greatest (1). Equals keep their order; λ = 1 sorts by score alone.

    Args:
        score_C: of candidates, at least one.
        alike_CC: `likeness` of them.
        length: of the list.
        diversity_lambda: λ.
    """
    order_C = np.argsort(-score_C, kind="stable")
    if diversity_lambda >= 1:
        return order_C[:length]
    sorted_C, alike_CC = score_C[order_C], alike_CC[np.ix_(order_C, order_C)]
    span = sorted_C[0] - sorted_C[-1]
    relevant_C = diversity_lambda * ((sorted_C - sorted_C[-1]) / span if span > 0 else np.ones_like(sorted_C))
    nearest_C = np.zeros_like(sorted_C)
    chosen: list[int] = []
    while len(chosen) < min(length, len(order_C)):
        worth_C = relevant_C - (1 - diversity_lambda) * nearest_C
        worth_C[chosen] = -np.inf
        chosen.append(int(worth_C.argmax()))
        nearest_C = np.maximum(nearest_C, alike_CC[chosen[-1]])
    return order_C[chosen]

"""A generative model of two models' hits, for simulations where no real pair of rankings is at hand.

The rank of target t of user u in the list of model m is log-normal:

    log(1 + rank) = median + spread · (√user a_u + √shared b_t + √own c_mt),   user + shared + own = 1

with a, b, c standard normal: some users are easy, some videos are easy for both models, and the rest is each model's
own. The number of targets of a user is a log-normal number rounded up. What does not live here: the numbers of real
data, to which the two audiences were matched, can be measured again by `paired_hits` on any trial's rankings.

| | recall@10 / 50 / 200 | standard deviation of a user's difference / mean: recall@200, NDCG@10 |
|---|---|---|
| ml-100k, per-user trial, two seeds | .17 / .43 / .74 | .19, .52 |
| the same, two recipes | .15 / .38 / .70 | .22, .63 |
| `MANY_LIKES` | .15 / .44 / .72 | .23, .63 |
| steam-au-reviews, global trial, two seeds | .22 / .42 / .63 | .28, .79 |
| the same, two recipes | .23 / .38 / .61 | .35, 1.11 |
| `FEW_LIKES` | .21 / .42 / .63 | .46, .96 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.gate_populations import PairedHits
from two_tower_assets.evaluation.metrics.hits import BEYOND, Hits

_DEPTH: Final = 200
_FARTHEST: Final = 1 << 20


@dataclass(frozen=True)
class Audience:
    """What users and a pair of models are like."""

    name: str
    targets_median: float
    targets_spread: float
    """Standard deviation of the logarithm of the number of targets."""
    rank_median: float
    """Median of the logarithm of the 1-based rank."""
    rank_spread: float
    user_share: float
    """Share of the variance that is the user's."""
    own_share: float
    """Share of the variance that is each model's own."""


MANY_LIKES: Final = Audience(
    name="many likes a user (as ml-100k)",
    targets_median=7.0,
    targets_spread=0.9,
    rank_median=4.2,
    rank_spread=1.85,
    user_share=0.3,
    own_share=0.15,
)
FEW_LIKES: Final = Audience(
    name="few likes a user (as steam-au-reviews)",
    targets_median=0.6,
    targets_spread=0.7,
    rank_median=4.43,
    rank_spread=2.68,
    user_share=0.25,
    own_share=0.022,
)
AUDIENCES: Final = (MANY_LIKES, FEW_LIKES)


def generated_hits(audience: Audience, *, users: int = 4000, seed: int = 0) -> PairedHits:
    """Draw users, their targets and where both models rank them."""
    rng = np.random.default_rng(seed)
    targets_U = np.ceil(audience.targets_median * np.exp(audience.targets_spread * rng.standard_normal(users)))
    row = np.repeat(np.arange(users), targets_U.astype(np.int64))
    easy_T = np.sqrt(audience.user_share) * rng.standard_normal(users)[row]
    easy_T += np.sqrt(1 - audience.user_share - audience.own_share) * rng.standard_normal(len(row))
    return PairedHits(*(_hits(audience, row, easy_T, users, rng) for _ in range(2)))


def _hits(
    audience: Audience, row: NDArray[np.int64], easy_T: NDArray[np.float64], users: int, rng: np.random.Generator
) -> Hits:
    deviation_T = easy_T + np.sqrt(audience.own_share) * rng.standard_normal(len(row))
    log_rank_T = audience.rank_median + audience.rank_spread * deviation_T
    wanted_T = np.exp(np.minimum(log_rank_T, np.log(_FARTHEST))).astype(np.int64)
    rank_T = _one_each(row, wanted_T)
    return Hits(row, np.where(rank_T < _DEPTH, rank_T, BEYOND), users)


def _one_each(row: NDArray[np.int64], rank_T: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move targets down until no two of a user share a rank."""
    order = np.lexsort((rank_T, row))
    place_T = np.arange(len(row)) - np.searchsorted(row, row)
    far_T = row * (4 * _FARTHEST)
    moved_T = np.empty_like(rank_T)
    moved_T[order] = np.maximum.accumulate(rank_T[order] - place_T + far_T) - far_T + place_T
    return moved_T

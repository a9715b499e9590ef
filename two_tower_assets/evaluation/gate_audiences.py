"""Made-up users for the simulation of the gate, as like real ones as what was measured of real ones.

The logarithm of a target's rank is normal around its user's own mean; part of the deviation is shared by two models
(some videos are hard for everybody) and the rest is each model's own. The constants were set so that five figures
are those of the towers at two seeds, fitted and asked as in the report, and where one number cannot give two of them
the differences of recall are the wider ones, which makes the gate's work harder:

| audience | data | targets | recall@10 | recall@200 | deviation of recall differences | of NDCG@10 differences |
|---|---|---|---|---|---|---|
| `sessions` | ml-100k, per-user split | 10.3 | 0.17 | 0.74 | 0.19 of the mean | 0.52 of the mean |
| `sparse` | steam-au-reviews, global split | 1.28 | 0.22 | 0.63 | 0.28 of the mean | 0.79 of the mean |

An equal challenger is one whose lists differ from the champion's as a second seed's do. A changed recipe can differ
more at the same mean: on steam-au-reviews the towers without logQ deviate by 0.50 of the mean, and pairs of them made
equal are refused in a quarter of all cases at 500 users. Only refusals grow with the differences, not bad models let
through.

`describe` prints the same figures of the made-up users. Letters: U users, T targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.gate_populations import PairedHits
from two_tower_assets.evaluation.metrics.hits import BEYOND, Hits
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at

_DEPTH: Final = 200
_FARTHEST: Final = 6
"""Largest log10 of a rank."""


@dataclass(frozen=True)
class Audience:
    """How users and ranks are drawn."""

    name: str
    mean_targets: float
    """Mean of 1 + a geometric number."""
    log_rank: float
    """Mean log10 of a target's rank."""
    of_user: float
    """Standard deviation of that mean between users."""
    of_target: float
    """Standard deviation within a user, shared by both models."""
    of_model: float
    """Standard deviation of each model's own part."""


AUDIENCES: Final = (
    Audience("sessions", mean_targets=10.3, log_rank=1.78, of_user=0.35, of_target=0.70, of_model=0.25),
    Audience("sparse", mean_targets=1.28, log_rank=1.90, of_user=0.60, of_target=1.08, of_model=0.20),
)


def audience_hits(audience: Audience, users: int, *, seed: int = 0) -> PairedHits:
    """Draw users and where two equally good models rank what they later like."""
    rng = np.random.default_rng(seed)
    targets_U = rng.geometric(1 / audience.mean_targets, size=users)
    row_T = np.repeat(np.arange(users), targets_U)
    shared_T = audience.log_rank + rng.normal(0, audience.of_user, users)[row_T]
    shared_T = shared_T + rng.normal(0, audience.of_target, len(row_T))
    first, second = (_hits(row_T, shared_T + rng.normal(0, audience.of_model, len(row_T)), users) for _ in range(2))
    return PairedHits(first, second)


def describe(pair: PairedHits) -> dict[str, float]:
    """The figures of the table above."""
    recalls = [recall_at(hits, _DEPTH) for hits in (pair.champion, pair.challenger)]
    gains = [ndcg_at(hits, 10) for hits in (pair.champion, pair.challenger)]
    return {
        "targets": float(pair.champion.relevant_U.mean()),
        "recall@10": float(recall_at(pair.champion, 10).mean()),
        "recall@200": float(recalls[0].mean()),
        "recall difference": float((recalls[0] - recalls[1]).std() / recalls[0].mean()),
        "ndcg difference": float((gains[0] - gains[1]).std() / gains[0].mean()),
    }


def _hits(row_T: NDArray[np.int64], log_rank_T: NDArray[np.float64], users: int) -> Hits:
    wanted_T = np.floor(10 ** np.minimum(log_rank_T, _FARTHEST)).astype(np.int64)
    rank_T = _one_each(row_T, wanted_T)
    return Hits(row_T, np.where(rank_T < _DEPTH, rank_T, BEYOND), users)


def _one_each(row_T: NDArray[np.int64], rank_T: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move targets down until no two of a user share a rank, as in a list; otherwise NDCG could exceed 1."""
    order = np.lexsort((rank_T, row_T))
    place_T = np.arange(len(row_T)) - np.searchsorted(row_T, row_T)
    # Each user's ranks lie above those of the users before, so one running maximum serves all.
    apart_T = row_T * 4 * 10**_FARTHEST
    moved_T = np.empty_like(rank_T)
    moved_T[order] = np.maximum.accumulate(rank_T[order] - place_T + apart_T) - apart_T + place_T
    return moved_T

"""Full ranking in blocks: every candidate scored for every user, decided videos removed, the best kept.

Letters: B users of a block, C candidates, K ranks, D embedding. Memory is one block of scores, never
users × videos. Which users and candidates is `task`'s, what the scores are is given as a callable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.features.ragged import ragged_positions
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

Score = Callable[[NDArray[np.int64]], Tensor]
"""Float32 scores [B, C] of all candidates for some rows of a task; the caller overwrites them."""

PADDING: Final = -1

_BLOCK_SCORES: Final = 1 << 23
_ITEM_BLOCK: Final = 8192


@dataclass(frozen=True)
class Ranking:
    """The first K candidates of each user of a task."""

    top_UK: NDArray[np.int64]
    """Places in the task's candidates, best first; −1 where there were no more."""
    hit_UK: NDArray[np.bool_]
    """Whether that candidate is a target."""


def rank(task: RankingTask, history: History, score: Score, k: int) -> Ranking:
    """Rank all candidates for all users of the task (at least one) and keep the first k."""
    ranker = _Ranker(task, history, score, min(k, len(task.candidates)))
    size = max(1, _BLOCK_SCORES // len(task.candidates))
    starts = range(0, len(task.users), size)
    blocks = [ranker.block(np.arange(start, min(start + size, len(task.users)))) for start in starts]
    return Ranking(np.concatenate([top for top, _ in blocks]), np.concatenate([hit for _, hit in blocks]))


@dataclass(frozen=True)
class _Ranker:
    task: RankingTask
    history: History
    score: Score
    k: int

    def block(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Top places and hits of consecutive rows."""
        score_BC = self.score(rows)
        score_BC.view(-1).index_fill_(0, torch.from_numpy(self._decided(rows)), -torch.inf)
        best_BK, top_BK = torch.topk(score_BC, self.k, dim=1)
        there_BK = torch.isfinite(best_BK)
        hit_BK = self._is_target(rows).gather(1, top_BK) & there_BK
        return torch.where(there_BK, top_BK, PADDING).numpy(), hit_BK.numpy()

    def _is_target(self, rows: NDArray[np.int64]) -> Tensor:
        task = self.task
        first, last = np.searchsorted(task.target_row, [rows[0], rows[-1] + 1])
        is_target_BC = torch.zeros(len(rows), len(task.candidates), dtype=torch.bool)
        is_target_BC[task.target_row[first:last] - rows[0], task.target[first:last]] = True
        return is_target_BC

    def _decided(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat places in a block's scores of what its users decided on before the cut-off."""
        first = self.history.user_offsets[self.task.users[rows]]
        row, decision = ragged_positions(first, self.task.state_end[rows] - first)
        at = self._place[self.history.video[decision]]
        return row[at >= 0] * len(self.task.candidates) + at[at >= 0]

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        """[videos + 1] place of each video among the candidates; unknown videos (-1) read the last entry."""
        place = np.full(len(self.history.video_ids) + 1, PADDING, dtype=np.int64)
        place[self.task.candidates] = np.arange(len(self.task.candidates))
        return place


def tower_scores(model: TwoTower, data: TrainingData, task: RankingTask) -> Score:
    """Cosines of both towers; user vectors are as of the cut-off."""
    items_CD = embed_videos(model, data, task.candidates.astype(np.int64))

    @torch.no_grad()
    def score(rows: NDArray[np.int64]) -> Tensor:
        moment = np.full(len(rows), task.since, dtype=np.int64)
        vectors = data.states.vectors(task.users[rows], task.state_end[rows], moment)
        user_BD: Tensor = model.user(torch.from_numpy(vectors))
        return user_BD @ items_CD.T

    return score


@torch.no_grad()
def embed_videos(model: TwoTower, data: TrainingData, videos: NDArray[np.int64]) -> Tensor:
    """Embed some videos of the history, float32 [C, 256]."""
    blocks = [
        model.item(torch.from_numpy(data.items.rows(videos[start : start + _ITEM_BLOCK])))
        for start in range(0, len(videos), _ITEM_BLOCK)
    ]
    return torch.cat(blocks)

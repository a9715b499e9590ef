"""What the towers say to the users of a task: cosines with all candidates, and popularity where they know nothing.

Letters: B users of a block, C candidates, D embedding.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

_ITEM_BLOCK: Final = 8192


def tower_scores(model: TwoTower, data: TrainingData, task: RankingTask) -> Score:
    """Cosines of both towers; user vectors are as of each user's moment."""
    items_CD = embed_videos(model, data, task.candidates.astype(np.int64))

    def score(rows: NDArray[np.int64]) -> Tensor:
        return embed_users(model, data, task, rows) @ items_CD.T

    return score


@torch.no_grad()
def embed_users(model: TwoTower, data: TrainingData, task: RankingTask, rows: NDArray[np.int64]) -> Tensor:
    """Embed some users of a task, float32 [B, 256]."""
    vectors = data.states.vectors(task.users[rows], task.state_end[rows], task.moment[rows])
    embedding_BD: Tensor = model.user(torch.from_numpy(vectors))
    return embedding_BD


@torch.no_grad()
def embed_videos(model: TwoTower, data: TrainingData, videos: NDArray[np.int64]) -> Tensor:
    """Embed some videos of the history, float32 [C, 256]."""
    popularity_V = data.popularity(float(model.half_life_days)).value
    blocks = [videos[start : start + _ITEM_BLOCK] for start in range(0, len(videos), _ITEM_BLOCK)]
    return torch.cat(
        [
            model.item(
                torch.from_numpy(data.items.rows(block)),
                torch.from_numpy(data.slot[block].astype(np.int64)),
                torch.from_numpy(popularity_V[block]),
            )
            for block in blocks
        ]
    )


def with_fallback(score: Score, fallback: Score, task: RankingTask) -> Score:
    """Answer users without any known decision by the fallback, as the functions do, and the others by the towers."""
    is_new_U = torch.from_numpy(~task.has_history)

    def answer(rows: NDArray[np.int64]) -> Tensor:
        is_new_B = is_new_U[torch.from_numpy(rows)]
        if not is_new_B.any():
            return score(rows)
        score_BC = fallback(rows)
        if not is_new_B.all():
            score_BC[~is_new_B] = score(rows[~is_new_B.numpy()])
        return score_BC

    return answer

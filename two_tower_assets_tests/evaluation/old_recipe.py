"""A recipe that is common and bad: binary cross-entropy on the raw cosine, with random negatives, three to one.

A cosine as logit lies within ±1, so the predicted probability within .27….73: the loss is least where everything is
pushed towards the base rate, and little of what tells one video from another is learned. The towers are those of
today; only what is minimised is old. Letters: B positives, N negatives, F features.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

NEGATIVES: Final = 3
_BATCH: Final = 256
_LEARNING_RATE: Final = 1e-3


def fit_by_old_recipe(data: TrainingData, settings: ModelSettings, *, steps: int, seed: int = 0) -> TwoTower:
    """Fit the towers on the LIKEs before `data.until` and return them in evaluation mode."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TwoTower(data.states.space.user_dim, data.states.space.item_dim, settings)
        # What serves is the content heads' cosine alone, and it is what is fitted; popularity weighs nothing.
        model.set_blend(taste_weight=0.0, popularity_weight=0.0, popularity_scale=1.0, half_life_days=30.0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE)
        popularity_V = np.zeros(len(data.history.video_ids), dtype=np.float32)
        for _ in range(steps):
            loss = _loss(model, data, popularity_V, rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return model.eval()


def _loss(model: TwoTower, data: TrainingData, popularity_V: NDArray[np.float32], rng: np.random.Generator) -> Tensor:
    """Draw LIKEs uniformly, each with `NEGATIVES` random videos, and compare cosines with what they are."""
    history = data.history
    like_B = rng.integers(len(data.likes.decision), size=_BATCH)
    decision_B = data.likes.decision[like_B]
    user_BF = data.states.vectors(
        data.likes.user[like_B], history.strictly_before[decision_B], history.time[decision_B]
    )
    video_N = rng.choice(data.catalogue, _BATCH * NEGATIVES).astype(np.int64)
    user_BD = model.user(torch.from_numpy(user_BF))
    liked_BD = _embedded(model, data, history.video[decision_B].astype(np.int64), popularity_V)
    other_ND = _embedded(model, data, video_N, popularity_V)
    positive_B = (user_BD * liked_BD).sum(dim=1)
    negative_N = (user_BD.repeat_interleave(NEGATIVES, dim=0) * other_ND).sum(dim=1)
    cosine = torch.cat([positive_B, negative_N])
    is_liked = torch.cat([torch.ones_like(positive_B), torch.zeros_like(negative_N)])
    return nn.functional.binary_cross_entropy_with_logits(cosine, is_liked)


def _embedded(
    model: TwoTower, data: TrainingData, videos: NDArray[np.int64], popularity_V: NDArray[np.float32]
) -> Tensor:
    embedding: Tensor = model.item(
        torch.from_numpy(data.items.rows(videos)),
        torch.from_numpy(data.slot[videos].astype(np.int64)),
        torch.from_numpy(popularity_V[videos]),
    )
    return embedding

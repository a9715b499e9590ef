"""The recipe that most two-tower projects begin with, to prove that the gate refuses what it makes.

Binary cross-entropy whose logit is the raw cosine, three random negatives for each LIKE: a logit within ±1 can say
neither "surely" nor "surely not", and negatives drawn at random teach popularity alone. The towers are today's and
serve the cosine that was fitted; only what is minimised is old. Letters: B LIKEs, N videos, F features, D dimensions.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

_NEGATIVES = 3


def fit_old_recipe(data: TrainingData, *, steps: int, batch: int = 256, seed: int = 0) -> TwoTower:
    """Fit the same towers by the old recipe on the LIKEs before `data.until`."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TwoTower(data.states.space.user_dim, data.states.space.item_dim, ModelSettings())
        model.set_blend()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(steps):
            loss = _loss(model, data, rng.choice(data.likes.decision, batch), rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return model.eval()


def _loss(model: TwoTower, data: TrainingData, decision_B: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
    liked_B = data.history.video[decision_B]
    drawn_N = rng.choice(data.catalogue, _NEGATIVES * len(liked_B))
    user_BD = model.user(torch.from_numpy(data.states.of_decisions(decision_B)))
    item_ND = _items(model, data, np.concatenate([liked_B, drawn_N]).astype(np.int64))
    cosine_N = (user_BD.repeat(1 + _NEGATIVES, 1) * item_ND).sum(dim=1)
    label_N = torch.cat([torch.ones(len(liked_B)), torch.zeros(len(drawn_N))])
    return nn.functional.binary_cross_entropy_with_logits(cosine_N, label_N)


def _items(model: TwoTower, data: TrainingData, video_N: NDArray[np.int64]) -> Tensor:
    """Embeddings [N, D]; the popularity that the item tower is given has weight 0 in the blend."""
    slot_N, popularity_N = torch.from_numpy(data.slot[video_N].astype(np.int64)), torch.zeros(len(video_N))
    embedding_ND: Tensor = model.item(torch.from_numpy(data.items.rows(video_N)), slot_N, popularity_N)
    return embedding_ND

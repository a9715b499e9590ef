"""The recipe that most two-tower projects begin with, to prove that the gate refuses what it makes.

Binary cross-entropy whose logit is the raw cosine, three random negatives for each LIKE: a logit within ±1 can say
neither "surely" nor "surely not", and negatives drawn at random teach popularity alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

_NEGATIVES = 3


def fit_old_recipe(data: TrainingData, *, steps: int, batch: int = 512, seed: int = 0) -> TwoTower:
    """Fit the same towers by the old recipe on the LIKEs before `data.until`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    space = data.states.space
    model = TwoTower(space.user_dim, space.item_dim, ModelSettings())
    model.set_blend()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(steps):
        loss = _loss(model.train(), data, rng.choice(data.likes.decision, batch), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def _loss(model: TwoTower, data: TrainingData, decision: np.ndarray, rng: np.random.Generator) -> Tensor:
    liked = data.history.video[decision]
    drawn = rng.choice(data.catalogue, _NEGATIVES * len(liked))
    users = model.user(torch.from_numpy(data.states.of_decisions(decision))).repeat(1 + _NEGATIVES, 1)
    videos = np.concatenate([liked, drawn]).astype(np.int64)
    items = model.item(
        torch.from_numpy(data.items.rows(videos)), torch.full((len(videos),), -1), torch.zeros(len(videos))
    )
    label = torch.cat([torch.ones(len(liked)), torch.zeros(len(drawn))])
    return nn.functional.binary_cross_entropy_with_logits((users * items).sum(dim=1), label)

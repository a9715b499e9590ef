"""The two towers: from feature vectors to unit embeddings, and the temperature they share.

What lives here: the modules and nothing about how they are fitted (`loss`, `trainer`) or stored (`checkpoint`).
Letters in tensor names: B batch, F features, N numerics, T bag-of-words columns, D embedding (256).
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from two_tower_assets.contract import EMBEDDING_DIM, ITEM_NUMERIC, USER_NUMERIC
from two_tower_assets.settings import ModelSettings

USER_NUMERIC_WIDTH: Final = len(USER_NUMERIC) + 1
"""The user numerics and `hour_of_day`."""
ITEM_NUMERIC_WIDTH: Final = len(ITEM_NUMERIC)

TEMPERATURE_BOUNDS: Final = (0.01, 1.0)
"""Outside these a softmax over cosines is either one-hot or nearly uniform, and its gradient vanishes."""

_TINY_NORM: Final = 1e-12


class SignedLog(nn.Module):
    """sign(z) · log(1 + |z|) of z = scale · x + shift, with one learned scale and shift a feature.

    Standardised counts and prices have heavy tails: a user with a hundred times the usual likes stands dozens of
    deviations out. The logarithm bounds their pull, and the affine map before it (one after it would be
    swallowed by the next layer) lets each feature choose where it is resolved finely.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, numeric_BN: Tensor) -> Tensor:
        """Squash float32 [B, N] feature by feature."""
        z_BN = numeric_BN * self.scale + self.shift
        return torch.sign(z_BN) * torch.log1p(torch.abs(z_BN))


class Tower(nn.Module):
    """One tower: squashed numerics and bags of words through an MLP onto the unit sphere.

    Args:
        width: number of features, F.
        numeric_width: how many of them, at the front, are numerics; the rest are bag-of-words columns.
        settings: hidden widths and dropout.
    """

    def __init__(self, width: int, numeric_width: int, settings: ModelSettings) -> None:
        super().__init__()
        assert width >= numeric_width
        self.width = width
        self.numeric_width = numeric_width
        self.squash = SignedLog(numeric_width)
        layers: list[nn.Module] = []
        last = width
        for hidden in settings.hidden:
            layers += [nn.Linear(last, hidden), nn.ReLU(inplace=True), nn.Dropout(settings.dropout)]
            last = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(last, EMBEDDING_DIM))

    def forward(self, features_BF: Tensor) -> Tensor:
        """Return float32 [B, 256] of length 1."""
        numeric_BN = self.squash(features_BF[:, : self.numeric_width])
        bags_BT = features_BF[:, self.numeric_width :]
        squashed_BF = torch.cat([numeric_BN, bags_BT], dim=1) if self.width > self.numeric_width else numeric_BN
        embedding_BD: Tensor = self.layers(squashed_BF)
        return nn.functional.normalize(embedding_BD, dim=1, eps=_TINY_NORM)


class TwoTower(nn.Module):
    """A user tower, an item tower and the learned logarithm of the softmax temperature.

    Args:
        user_dim: width of `user_features`.
        item_dim: width of `item_features`.
        settings: shape of both towers.
        temperature: where the learned temperature starts.
    """

    def __init__(self, user_dim: int, item_dim: int, settings: ModelSettings, *, temperature: float = 0.07) -> None:
        super().__init__()
        self.user = Tower(user_dim, USER_NUMERIC_WIDTH, settings)
        self.item = Tower(item_dim, ITEM_NUMERIC_WIDTH, settings)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))

    @property
    def temperature(self) -> float:
        """Current softmax temperature."""
        return math.exp(self.log_temperature.item())

    @torch.no_grad()
    def bound_temperature(self) -> None:
        """Put the temperature back between its bounds; called after each optimiser step.

        A projection, and not a clamp in the forward pass, because a clamped value has no gradient to return by.
        """
        low, high = TEMPERATURE_BOUNDS
        self.log_temperature.clamp_(math.log(low), math.log(high))

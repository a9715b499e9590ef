"""What a tower's heads are made of: content through an MLP, and a learned vector a video.

What does not live here: which heads a tower has and how they become one vector (`towers`). Letters in tensor names:
B batch, F features, N numerics, H hidden.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from two_tower_assets.features.video_vocabulary import NO_SLOT
from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.bags import SparseFeatures
from two_tower_assets.training.dropout import Dropout, generator_of_draws
from two_tower_assets.training.first_layer import first_layer

START_SCALE: Final = 0.02
"""Standard deviation of a video's own weights at the start: small beside what content says."""


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


class ContentHead(nn.Module):
    """Squashed numerics and bags of words through an MLP; not yet of length 1.

    Args:
        width: number of features, F.
        numeric_width: how many of them, at the front, are numerics; the rest are bag-of-words columns.
        size: numbers that come out.
        settings: hidden widths and dropout.
    """

    def __init__(self, width: int, numeric_width: int, size: int, settings: ModelSettings) -> None:
        super().__init__()
        assert width >= numeric_width
        self.numeric_width = numeric_width
        self.squash = SignedLog(numeric_width)
        layers: list[nn.Module] = []
        last = width
        for hidden in settings.hidden:
            layers += [nn.Linear(last, hidden), nn.ReLU(inplace=True), Dropout(settings.dropout)]
            last = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(last, size))

    def forward(self, features: Tensor | SparseFeatures) -> Tensor:
        """Return float32 [B, size] of features with their zeros or, while fitting, without."""
        if isinstance(features, Tensor):
            numeric_BN, bags = features.tensor_split([self.numeric_width], dim=1)
            if not self.training:
                whole: Tensor = self.layers(torch.cat([self.squash(numeric_BN), bags], dim=1))
                return whole
            hidden_BH = self._first_layer(numeric_BN, bags)
        else:
            hidden_BH = self._first_layer(features.dense_BN, features)
        out: Tensor = self.layers[1:](hidden_BH)
        return out

    def _first_layer(self, numeric_BN: Tensor, bags: Tensor | SparseFeatures) -> Tensor:
        first = self.layers[0]
        assert isinstance(first, nn.Linear)
        return first_layer(self.squash(numeric_BN), bags, first.weight, first.bias)


class VideoWeights(nn.Module):
    """One learned vector a video of the vocabulary, and one for all others, which stand in for it now and then.

    Standing in at random while fitting (`ModelSettings.video_dropout`) is what teaches the vector of unknown
    videos, and keeps the content heads from leaning on what only known videos have.
    """

    def __init__(self, videos: int, size: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.weight = nn.Parameter(START_SCALE * torch.randn(videos + 1, size))

    def forward(self, slot_B: Tensor) -> Tensor:
        """Return float32 [B, size] for int64 places in the vocabulary, `NO_SLOT` (−1) for none."""
        unknown = len(self.weight) - 1
        absent_B = slot_B == NO_SLOT
        if self.training:
            draws_B = torch.rand(len(slot_B), device=slot_B.device, generator=generator_of_draws())
            absent_B = absent_B | (draws_B < self.dropout)
        # Not self.weight[…]: the gradient of that is added up by threads in any order.
        return self.weight.index_select(0, torch.where(absent_B, unknown, slot_B))

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import linear

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.first_layer import first_layer
from two_tower_assets.training.towers import ItemTower
from two_tower_assets_tests.training.sparse import sparse


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 6),
    numerics=st.integers(0, 3),
    columns=st.integers(0, 9),
    share=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_it_is_a_linear_layer_with_and_without_the_zeros(
    seed: int, rows: int, numerics: int, columns: int, share: float
) -> None:
    """So are its gradients; also of empty bags, of no bag at all, and where every entry is there."""
    torch.manual_seed(seed)
    bags_BT = torch.rand(rows, columns) * (torch.rand(rows, columns) < share)
    asked_BH = torch.randn(rows, 5)
    leaves = [torch.randn(shape, requires_grad=True) for shape in ((rows, numerics), (5, numerics + columns), (5,))]
    numeric_BN, weight_HF, bias_H = leaves
    expected, dense, thin = (
        (out_BH.detach(), *torch.autograd.grad(out_BH, leaves, asked_BH))
        for out_BH in (
            linear(torch.cat([numeric_BN, bags_BT], dim=1), weight_HF, bias_H),
            first_layer(numeric_BN, bags_BT, weight_HF, bias_H),
            first_layer(numeric_BN, sparse(torch.zeros(rows, numerics), bags_BT), weight_HF, bias_H),
        )
    )
    torch.testing.assert_close(dense, expected)
    torch.testing.assert_close(thin, expected)


@pytest.mark.parametrize("videos", [0, 4])
def test_a_tower_says_the_same_of_bags_without_their_zeros(videos: int) -> None:
    """But for dropout, every part of a video and every gradient are those of the whole vectors."""
    torch.manual_seed(0)
    settings = ModelSettings(hidden=(8,), dropout=0.0, video_dropout=0.0)
    tower = ItemTower(12, videos, settings).train()
    dense_BN, bags_BT = torch.randn(5, 3), torch.rand(5, 9) * (torch.rand(5, 9) < 0.3)
    slots = torch.arange(5).clamp(max=max(videos - 1, 0))
    parts, gradients = [], []
    for features in (torch.cat([dense_BN, bags_BT], dim=1), sparse(dense_BN, bags_BT)):
        tower.zero_grad()
        parts.append([tower.part(features, slots, head) for head in tower.heads])
        torch.autograd.backward(sum(part[:, 0].sum() for part in parts[-1]))
        gradients.append([parameter.grad for parameter in tower.parameters()])
    torch.testing.assert_close(*parts)
    torch.testing.assert_close(*gradients)

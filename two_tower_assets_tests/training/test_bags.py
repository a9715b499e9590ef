from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.bags import bags_times
from two_tower_assets.training.towers import ItemTower
from two_tower_assets_tests.training.sparse import sparse


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 6),
    columns=st.integers(0, 9),
    share=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_sums_of_what_is_there_are_the_dense_product_and_its_gradient(
    seed: int, rows: int, columns: int, share: float
) -> None:
    """Also of empty bags, of no bag at all, and where every entry is there."""
    torch.manual_seed(seed)
    bags_BT = torch.rand(rows, columns) * (torch.rand(rows, columns) < share)
    weights = [torch.randn(width, columns, requires_grad=True) for width in (3, 5)]
    asked = [torch.randn(rows, width) for width in (3, 5)]
    found = bags_times(sparse(torch.zeros(rows, 1), bags_BT), weights)
    expected = [bags_BT @ weight.T for weight in weights]
    for made in (found, expected):
        torch.autograd.backward(sum((part * ask).sum() for part, ask in zip(made, asked, strict=True)))
    torch.testing.assert_close(found, expected)
    for weight, ask in zip(weights, asked, strict=True):
        torch.testing.assert_close(weight.grad, 2 * ask.T @ bags_BT)


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
        parts.append(tower.parts(features, slots))
        torch.autograd.backward(sum(part[:, 0].sum() for part in parts[-1]))
        gradients.append([parameter.grad for parameter in tower.parameters()])
    torch.testing.assert_close(*parts)
    torch.testing.assert_close(*gradients)

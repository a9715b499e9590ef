from __future__ import annotations

import math

import pytest
import torch

from two_tower_assets.features.video_vocabulary import NO_SLOT
from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.heads import ContentHead, SignedLog, VideoWeights
from two_tower_assets.training.towers import (
    TEMPERATURE_BOUNDS,
    TwoTower,
    bounded_temperature,
    head_sizes,
)


def test_a_signed_log_is_odd_and_bounds_heavy_tails() -> None:
    """At scale 1 and shift 0 it is sign(x) · ln(1 + |x|)."""
    values = SignedLog(3)(torch.tensor([[math.e - 1, 1 - math.e, 0.0]]))
    torch.testing.assert_close(values, torch.tensor([[1.0, -1.0, 0.0]]))


SETTINGS = ModelSettings(hidden=(8,))


@pytest.mark.parametrize("videos", [0, 6])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e6])
def test_embeddings_have_length_one_for_any_finite_input(videos: int, scale: float) -> None:
    """Whatever the numerics, with or without bags, known and unknown videos, the output is a finite unit vector."""
    torch.manual_seed(0)
    model = TwoTower(12 + 2 * videos, 6, SETTINGS, videos=videos).eval()
    model.set_blend(taste_weight=0.5, popularity_weight=0.5, popularity_scale=3.0)
    users = model.user(scale * torch.randn(5, 12 + 2 * videos))
    slots = torch.tensor([NO_SLOT, 0, 1, 2, NO_SLOT]).clamp(max=videos - 1)
    items = model.item(scale * torch.randn(5, 6), slots, torch.tensor([-1.0, 1.0, 0.0, 0.3, -0.3]))
    for embedding in (users, items):
        assert embedding.shape == (5, 256)
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(5))


def test_a_head_says_the_same_while_training() -> None:
    """But for dropout; and the gradient of its weights is that of the head as it is evaluated."""
    torch.manual_seed(0)
    head = ContentHead(20, 9, 8, ModelSettings(dropout=0.0))
    features_BF = torch.randn(5, 20)
    said, gradients = [], []
    for training in (True, False):
        head.zero_grad()
        said.append(head.train(training)(features_BF))
        torch.autograd.backward(said[-1].square().sum())
        gradients.append([parameter.grad for parameter in head.parameters()])
    torch.testing.assert_close(*said)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_the_parts_fill_the_embedding(heads: int, hybrid: bool) -> None:
    """Content heads, videos, taste and popularity have 256 numbers together."""
    settings = ModelSettings(heads=heads)
    sizes = head_sizes(settings, hybrid=hybrid)
    assert sum(sizes) == 256
    assert len(sizes) == heads + 2 + hybrid


def test_the_cosine_is_the_weighted_mean_of_the_parts_logits() -> None:
    """Two heads at temperatures 0.1 and 0.2, taste at 5 × 0.5 and popularity at 0.25 × 4: weights 5, 2.5, 2.5, 1."""
    torch.manual_seed(0)
    model = TwoTower(12, 6, SETTINGS).eval()
    with torch.no_grad():
        model.log_temperature_H.copy_(torch.log(torch.tensor([0.1, 0.2])))
    model.set_blend(taste_weight=0.5, popularity_weight=0.25, popularity_scale=4.0, half_life_days=30)
    features_BF, items_BF, popularity_B = torch.randn(4, 12), torch.randn(4, 6), torch.tensor([-1.0, 0.0, 0.5, 1.0])
    slots = torch.full((4,), NO_SLOT)
    users = [model.user.part(features_BF, head) for head in model.user.heads]
    items = [model.item.part(items_BF, slots, head) for head in model.item.heads]
    cosines = [(user * item).sum(1) for user, item in zip(users, items, strict=True)] + [popularity_B]
    expected = sum(weight * cosine for weight, cosine in zip([5, 2.5, 2.5, 1], cosines, strict=True)) / 11
    found = (model.user(features_BF) * model.item(items_BF, slots, popularity_B)).sum(1)
    torch.testing.assert_close(found, expected)
    assert model.half_life_days == 30


def test_weights_of_zero_leave_taste_and_popularity_out() -> None:
    """The embedding's last numbers, which are theirs, are all zero."""
    model = TwoTower(12, 6, SETTINGS).eval()
    model.set_blend()
    embedding = model.item(torch.randn(3, 6), torch.full((3,), NO_SLOT), torch.zeros(3))
    assert not embedding[:, -(SETTINGS.taste_size + 2) :].any()


def test_videos_stand_for_unknown_ones_only_while_training() -> None:
    """In evaluation a slot gives its own vector; with dropout 1 while training every slot gives the unknown one."""
    weights = VideoWeights(3, 4, dropout=1.0)
    slots = torch.tensor([0, 2, NO_SLOT])
    assert torch.equal(weights.eval()(slots), weights.weight[[0, 2, 3]])
    assert torch.equal(weights.train()(slots), weights.weight[[3, 3, 3]])


def test_temperatures_are_put_back_between_their_bounds_and_can_leave_them_again() -> None:
    """After an overshoot the parameter stands on the bound, where it still has a gradient."""
    model = TwoTower(9, 3, ModelSettings())
    with torch.no_grad():
        model.log_temperature_H.fill_(-50.0)
    bounded_temperature(model.log_temperature_H)
    assert model.temperature == pytest.approx(TEMPERATURE_BOUNDS[0])
    torch.exp(-model.log_temperature_H).sum().backward()
    assert model.log_temperature_H.grad is not None
    assert model.log_temperature_H.grad.all()

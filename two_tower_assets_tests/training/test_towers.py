from __future__ import annotations

import math

import pytest
import torch

from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.towers import TEMPERATURE_BOUNDS, SignedLog, Tower, TwoTower


def test_a_signed_log_is_odd_and_bounds_heavy_tails() -> None:
    """At scale 1 and shift 0 it is sign(x) · ln(1 + |x|)."""
    values = SignedLog(3)(torch.tensor([[math.e - 1, 1 - math.e, 0.0]]))
    torch.testing.assert_close(values, torch.tensor([[1.0, -1.0, 0.0]]))


@pytest.mark.parametrize("width", [9, 12])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e6])
def test_embeddings_have_length_one_for_any_finite_input(width: int, scale: float) -> None:
    """Whatever the numerics, and with or without bags, the output is a finite unit vector."""
    torch.manual_seed(0)
    tower = Tower(width, 9, ModelSettings()).eval()
    embedding = tower(scale * torch.randn(5, width))
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(5))


def test_the_temperature_is_put_back_between_its_bounds_and_can_leave_them_again() -> None:
    """After an overshoot the parameter stands on the bound, where it still has a gradient."""
    model = TwoTower(9, 3, ModelSettings())
    with torch.no_grad():
        model.log_temperature.fill_(-50.0)
    model.bound_temperature()
    assert model.temperature == pytest.approx(TEMPERATURE_BOUNDS[0])
    torch.exp(-model.log_temperature).backward()
    assert model.log_temperature.grad is not None
    assert model.log_temperature.grad != 0

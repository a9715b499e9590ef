from __future__ import annotations

import pytest
import torch

from two_tower_assets.training.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_is_zeroed_and_the_mean_stays(share: float) -> None:
    """Within six standard deviations over a million ones; what is kept is scaled by 1 / (1 − share)."""
    torch.manual_seed(0)
    dropped = Dropout(share)(torch.ones(1000, 1001))
    kept = dropped[dropped != 0]
    deviation = (share * (1 - share) / dropped.numel()) ** 0.5
    assert abs(1 - kept.numel() / dropped.numel() - share) < 6 * deviation + 2**-16
    assert abs(dropped.mean() - 1) < (6 * deviation + 2**-16) / (1 - share)
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - share)), rtol=2e-4, atol=0)


def test_neighbours_fall_apart_from_one_another() -> None:
    """Four elements share a number of the generator; they are zeroed together no more often than by chance."""
    torch.manual_seed(0)
    zero = Dropout(0.5)(torch.ones(400_000)) == 0
    together = [(zero[0::4] & zero[place::4]).float().mean().item() for place in (1, 2, 3)]
    assert together == pytest.approx([0.25] * 3, abs=0.01)


def test_only_what_is_kept_has_a_gradient() -> None:
    """And the same seed keeps the same."""
    x = torch.ones(7, 5, requires_grad=True)
    torch.manual_seed(3)
    kept = Dropout(0.5)(x)
    torch.autograd.backward(kept.sum())
    assert x.grad is not None
    torch.testing.assert_close(x.grad, kept.detach())
    torch.manual_seed(3)
    torch.testing.assert_close(Dropout(0.5)(x), kept, rtol=0, atol=0)


def test_nothing_falls_when_a_model_is_asked() -> None:
    """Nor with a share of nothing."""
    x = torch.randn(3, 2)
    assert Dropout(0.9).eval()(x) is x
    assert Dropout(0.0)(x) is x

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from two_tower_assets.errors import TrainingError
from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import StepReport, fit, one_cycle
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import SMALL, cut, data_of, tastes


def weights(data: TrainingData, **changes: object) -> dict[str, torch.Tensor]:
    settings = SMALL.training.model_copy(update={"steps": 8, **changes})
    return fit(data, SMALL.model, settings).model.state_dict()


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


def test_the_same_seed_gives_the_same_weights_bit_by_bit(tmp_path: Path) -> None:
    """Whatever the state of torch's generator, which is left as it was."""
    data = data_of(tastes(), tmp_path)
    first = weights(data)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert same(first, weights(data))
    assert torch.equal(torch.get_rng_state(), state)
    assert not same(first, weights(data, seed=1))


def test_nothing_after_the_cutoff_enters_the_weights(tmp_path: Path) -> None:
    """Fitting before a moment gives the same weights when everything after it is deleted."""
    place = tastes()
    moment = cut(place, "test_from")
    whole = data_of(place, tmp_path / "whole", moment)
    past = data_of(place.until(moment), tmp_path / "past", moment, full=place)
    assert len(past.history.time) < len(whole.history.time)
    assert same(weights(whole), weights(past))


def test_the_best_validated_weights_are_kept_and_patience_ends_the_fit(tmp_path: Path) -> None:
    """Recalls .1 .3 .2 .2 with patience 2, measured every 2 steps: stop at 8, keep those of step 4."""
    data = data_of(tastes(), tmp_path)
    recalls = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    seen: list[StepReport] = []
    settings = SMALL.training.model_copy(update={"steps": 20, "validate_every": 2, "patience": 2})
    stopped = fit(data, SMALL.model, settings, validate=lambda _: next(recalls), watch=seen.append)
    assert stopped.steps == 4
    assert stopped.curves.recalls == [(2, 0.1), (4, 0.3), (6, 0.2), (8, 0.2)]
    assert [report.step for report in seen] == list(range(1, 9))
    assert [report.recall for report in seen if report.recall] == [0.1, 0.3, 0.2, 0.2]
    again = fit(data, SMALL.model, settings, stop_at=4)
    assert again.steps == 4
    assert same(stopped.model.state_dict(), again.model.state_dict())


def test_a_fit_lowers_the_loss(tmp_path: Path) -> None:
    """The last losses are well below the first."""
    losses = fit(data_of(tastes(), tmp_path), SMALL.model, SMALL.training).curves.losses
    assert len(losses) == SMALL.training.steps
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2


def test_a_loss_that_is_not_finite_stops_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN features give a NaN loss, which names the step and the learning rate."""
    data = data_of(tastes(), tmp_path)
    monkeypatch.setattr(data.states, "vectors", lambda user, *_: np.full((len(user), 13), np.nan, dtype=np.float32))
    with pytest.raises(TrainingError, match=r"nan at step 1.*training\.learning_rate"):
        fit(data, SMALL.model, SMALL.training)


@pytest.mark.parametrize(
    ("users", "tags"),
    [(1, True), (2, False)],
    ids=["one user", "no vocabulary"],
)
def test_tiny_data_work(tmp_path: Path, users: int, tags: bool) -> None:
    """Fewer examples than a batch, one user, no NOPE, an empty vocabulary: finite weights."""
    videos = [{"id": uid(video), "tags": ["tag"] if tags else []} for video in range(3)]
    rows = [(uid(user), uid(user), "like", START) for user in range(users)]
    result = fit(data_of(world(videos, rows), tmp_path), SMALL.model, TrainingSettings(steps=3))
    assert isinstance(result.model, TwoTower)
    assert all(math.isfinite(loss) for loss in result.curves.losses)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in result.model.state_dict().values())


@pytest.mark.parametrize("steps", [1, 2, 10, 300])
def test_one_cycle_rises_to_one_and_falls_to_almost_nothing(steps: int) -> None:
    """The factor stays within (0, 1]; long schedules peak at 30 % and end at 1e-4."""
    factors = [one_cycle(step, steps) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    if steps == 300:
        assert np.argmax(factors) == 90
        assert factors[90] == pytest.approx(1)
        assert factors[-1] == pytest.approx(1e-4)

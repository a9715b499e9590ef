from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from two_tower_assets.errors import TrainingError
from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.objective import Inputs
from two_tower_assets.training.optimizer import one_cycle
from two_tower_assets.training.sampler import Sampler
from two_tower_assets.training.stepping import all_heads_at_once, heads_side_by_side
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import StepReport, fit, new_model
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import SMALL, cut, data_of, tastes


def weights(data: TrainingData, **changes: object) -> dict[str, torch.Tensor]:
    return fit(data, SMALL.model, SMALL.training.model_copy(update=changes), steps=8).model.state_dict()


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


def test_the_weights_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    """One thread that takes the heads by turns, and one for each of them."""
    data = data_of(tastes(), tmp_path)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            found.append(weights(data))
    finally:
        torch.set_num_threads(before)
    assert same(found[0], found[1])
    assert same(found[0], found[2])


def test_heads_side_by_side_fit_what_all_at_once_fit(tmp_path: Path) -> None:
    """But for dropout, which each way draws for itself, the losses are the same, step by step."""
    data = data_of(tastes(), tmp_path)
    shape = SMALL.model.model_copy(update={"dropout": 0.0})
    sampler = Sampler(data, SMALL.training)

    def draw(step: int) -> Inputs:
        return Inputs.of(sampler.batch(step), torch.device("cpu"))

    one, other = (new_model(data, shape, SMALL.training) for _ in range(2))
    apart = list(heads_side_by_side(one, SMALL.training, 12, draw, pause_every=5))
    together = list(all_heads_at_once(other, SMALL.training, 12, draw))
    assert apart == pytest.approx(together, rel=1e-5)
    assert torch.allclose(one.log_temperature_H, other.log_temperature_H, rtol=0, atol=1e-5)


def test_nothing_after_the_cutoff_enters_the_weights(tmp_path: Path) -> None:
    """Fitting before a moment gives the same weights when everything after it is deleted."""
    place = tastes()
    moment = cut(place, "test_from")
    whole = data_of(place, tmp_path / "whole", moment)
    past = data_of(place.until(moment), tmp_path / "past", moment, full=place)
    assert len(past.history.time) < len(whole.history.time)
    assert same(weights(whole), weights(past))


def test_validation_is_measured_for_the_curves_and_changes_nothing(tmp_path: Path) -> None:
    """Every 2 of 5 steps and at the end, and the weights are those of a fit that nobody watches."""
    data = data_of(tastes(), tmp_path)
    values = iter([0.3, 0.9, 0.1])
    seen: list[StepReport] = []
    settings = SMALL.training.model_copy(update={"validate_every": 2})
    watched = fit(data, SMALL.model, settings, steps=5, validate=lambda _: next(values), watch=seen.append)
    assert watched.steps == 5
    assert watched.curves.validations == [(2, 0.3), (4, 0.9), (5, 0.1)]
    assert watched.curves.last == 0.1
    assert [report.step for report in seen] == [1, 2, 3, 4, 5]
    assert [report.validation for report in seen if report.validation] == [0.3, 0.9, 0.1]
    assert same(watched.model.state_dict(), fit(data, SMALL.model, settings, steps=5).model.state_dict())


def test_a_fit_lowers_the_loss(tmp_path: Path) -> None:
    """The last losses are well below the first."""
    losses = fit(data_of(tastes(), tmp_path), SMALL.model, SMALL.training, steps=40).curves.losses
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.2


def test_products_in_half_the_bits_learn_as_much(tmp_path: Path) -> None:
    """The curve of losses lies within a hundredth of that of float32, and the weights are float32."""
    data = data_of(tastes(), tmp_path)
    halves = fit(data, SMALL.model, SMALL.training.model_copy(update={"precision": "bfloat16"}), steps=40)
    whole = fit(data, SMALL.model, SMALL.training, steps=40)
    assert halves.curves.losses != whole.curves.losses
    assert halves.curves.losses == pytest.approx(whole.curves.losses, rel=0.01)
    assert {weight.dtype for weight in halves.model.state_dict().values()} == {torch.float32}


def test_a_loss_that_is_not_finite_stops_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN features give a NaN loss, which names the step and the learning rate."""
    data = data_of(tastes(), tmp_path)
    monkeypatch.setattr(data.states, "vectors", lambda user, *_: np.full((len(user), 13), np.nan, dtype=np.float32))
    with pytest.raises(TrainingError, match=r"nan at step 1.*training\.learning_rate"):
        fit(data, SMALL.model, SMALL.training, steps=2)


@pytest.mark.parametrize(
    ("users", "tags"),
    [(1, True), (2, False)],
    ids=["one user", "no vocabulary"],
)
def test_tiny_data_work(tmp_path: Path, users: int, tags: bool) -> None:
    """Fewer examples than a batch, one user, no NOPE, an empty vocabulary: finite weights."""
    videos = [{"id": uid(video), "tags": ["tag"] if tags else []} for video in range(3)]
    rows = [(uid(user), uid(user), "like", START) for user in range(users)]
    result = fit(data_of(world(videos, rows), tmp_path), SMALL.model, TrainingSettings(), steps=3)
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

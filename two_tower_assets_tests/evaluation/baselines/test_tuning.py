from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines import Fitted, Parameters, Trial, tune
from two_tower_assets.evaluation.baselines.ease import Ease
from two_tower_assets.evaluation.baselines.popularity import MostPopular
from two_tower_assets.training.data import TrainingData
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past, scores


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    return past(tmp_path, likes([(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)]), videos=4, users=3)


def test_the_best_entry_is_kept_and_all_are_told(data: TrainingData) -> None:
    """Weights shrink with the ridge, so the spread of the scores does, and the least ridge measures best."""
    grid: Sequence[Parameters] = [{"ridge": ridge, "intercept": 0} for ridge in (100, 1, 10)]
    task = asked(data)
    tuned = tune(Ease(grid=tuple(grid)), data, lambda fitted: float(scores(fitted, task).max()))
    assert tuned.parameters == grid[1]
    assert [trial.parameters for trial in tuned.tried] == grid
    values = [trial.score for trial in tuned.tried]
    assert tuned.score == values[1] == max(value for value in values if value is not None)


def test_among_equals_the_first_is_kept(data: TrainingData) -> None:
    """So that the same data always tune to the same parameters."""
    tuned = tune(Ease(), data, lambda fitted: 0.5 + 0 * len(fitted.notes))
    assert tuned.parameters == Ease().grid[0]
    assert tune(MostPopular("popular"), data, lambda fitted: len(fitted.notes)).parameters == {}


@dataclass(frozen=True)
class Fragile:
    """Popularity that can be fitted with some parameters only."""

    name: str = "fragile"
    grid: Sequence[Parameters] = ({"good": 0, "id": 1}, {"good": 1, "id": 2}, {"good": 0, "id": 3})

    def fit(self, data: TrainingData, parameters: Parameters) -> Fitted:
        if not parameters["good"]:
            raise EvaluationError(f"Entry {parameters['id']:g} is bad", remedy="Leave it out.")
        return MostPopular("popular").fit(data, {})


def test_entries_that_cannot_be_fitted_or_measured_are_passed_over_with_their_reason(data: TrainingData) -> None:
    """The one good entry wins even with the least of values; without a value there is no winner."""
    tuned = tune(Fragile(), data, lambda _: -5.0)
    assert (tuned.parameters, tuned.score) == (Fragile().grid[1], -5.0)
    assert tuned.tried[0] == Trial(Fragile().grid[0], None, "Entry 1 is bad. Leave it out.")
    with pytest.raises(EvaluationError, match="no value"):
        tune(MostPopular("popular"), data, lambda _: float(np.nan))


def test_when_no_entry_can_be_fitted_the_first_reason_is_raised(data: TrainingData) -> None:
    """One reason for the method, not one an entry."""
    with pytest.raises(EvaluationError, match="Entry 1"):
        tune(Fragile(grid=Fragile().grid[::2]), data, lambda _: 1.0)

"""The three fits of one run: how many steps to take, the model that is tested, and the model that is shipped.

| function | fitted on decisions | steps | used for |
|---|---|---|---|
| `fit_for_selection` | before the validation window | early stopping on recall@200 there | the number of steps |
| `refit` for the test | before the test window | the number found | the report (`evaluate`) |
| `refit` for shipping | all | the number found | the artifacts |

All three share settings, seed and schedule, so the report speaks of the very recipe that ships, on as much of the
past as an honest test allows.
"""

from __future__ import annotations

from two_tower_assets.evaluation.validation import validation_measure
from two_tower_assets.settings import Settings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.trainer import Fit, Watch, fit, unwatched


def fit_for_selection(data: TrainingData, settings: Settings, *, watch: Watch = unwatched) -> Fit:
    """Fit on the past of the validation window and stop where recall there is best.

    Without a user to validate on, all steps of the schedule are taken.

    Args:
        data: what was known when the validation window began (`data.until == data.examples.split.validation_from`).
        settings: shape, schedule and negatives.
        watch: called after each step.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    validate = validation_measure(data, data.examples.split.test_from)
    return fit(data, settings.model, settings.training, validate=validate, watch=watch)


def refit(data: TrainingData, settings: Settings, *, steps: int, watch: Watch = unwatched) -> Fit:
    """Fit the same recipe on another span of the past, for as many steps of the same schedule.

    Args:
        data: for the test, what was known when the test window began; for shipping, everything.
        settings: as in the selection.
        steps: what `fit_for_selection` found.
        watch: called after each step.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    return fit(data, settings.model, settings.training, stop_at=steps, watch=watch)

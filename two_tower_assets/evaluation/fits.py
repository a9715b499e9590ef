"""From a snapshot to fitted towers: the model that the test measures, and the model that ships.

Each brings together what may be seen at its moment and calls `selection`; the feature space of the evaluated model is
built from before the test window, that of the shipped one is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from two_tower_assets.evaluation.selection import fit_for_selection, refit
from two_tower_assets.features.build import build_space
from two_tower_assets.features.history import History
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import Settings
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets.training.data import TrainingData, training_data
from two_tower_assets.training.examples import Examples
from two_tower_assets.training.trainer import Fit, Watch, unwatched


@dataclass(frozen=True)
class EvaluatedFit:
    """A model fitted before the test window, and how its number of steps was found."""

    selection: Fit
    """The fit before the validation window, with its curves."""
    fit: Fit
    space: FeatureSpace
    """From before the test window."""


def fit_for_test(
    snapshot: Snapshot, examples: Examples, settings: Settings, *, watch: Watch = unwatched
) -> EvaluatedFit:
    """Choose the steps on the validation window, then fit on everything before the test window.

    Raises:
        TrainingError: there is nothing to learn from before one of the windows, or training diverged.
    """
    history = History.from_snapshot(snapshot)
    early, _ = _before(snapshot, history, examples, settings, examples.split.validation_from)
    selection = fit_for_selection(early, settings, watch=watch)
    data, space = _before(snapshot, history, examples, settings, examples.split.test_from)
    return EvaluatedFit(selection, refit(data, settings, steps=selection.steps, watch=watch), space)


def fit_for_release(
    snapshot: Snapshot,
    examples: Examples,
    space: FeatureSpace,
    settings: Settings,
    *,
    steps: int,
    watch: Watch = unwatched,
) -> Fit:
    """Fit the evaluated recipe on everything.

    Args:
        snapshot: everything.
        examples: all of its examples.
        space: built from everything.
        settings: as evaluated.
        steps: as evaluated.
        watch: called after each step.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    data = training_data(snapshot, History.from_snapshot(snapshot), examples, space)
    return refit(data, settings, steps=steps, watch=watch)


def data_for_test(snapshot: Snapshot, examples: Examples, space: FeatureSpace) -> TrainingData:
    """What was known when the test window began, in the evaluated model's space."""
    history = History.from_snapshot(snapshot)
    return training_data(snapshot, history, examples, space, before=moment_of(examples.split.test_from))


def _before(
    snapshot: Snapshot, history: History, examples: Examples, settings: Settings, until: int
) -> tuple[TrainingData, FeatureSpace]:
    moment = moment_of(until)
    space = build_space(snapshot, settings=settings.features, before=moment, history=history)
    return training_data(snapshot, history, examples, space, before=moment), space

"""From a snapshot to fitted towers, one fit a question.

| fitted on | steps and weights | used for |
|---|---|---|
| before the validation window | `selection` finds them | choosing |
| before the test window | as chosen | the report: global split |
| all but each user's last decisions | as chosen | the report: per-user split |
| all but some videos | as chosen | the report: new videos |
| everything | as chosen | the release |

All share settings, seed and schedule, so the report speaks of the very recipe that ships.
"""

from __future__ import annotations

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.features.history import History
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.settings import Settings
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets.training.data import TrainingData, training_data
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.training.examples import Examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Fit, Watch, unwatched


def refit(
    data: TrainingData,
    settings: Settings,
    choices: Choices,
    *,
    watch: Watch = unwatched,
    engine: Engine = LOCAL,
) -> Fit:
    """Fit the chosen recipe on another part of the past.

    Args:
        data: what may be seen.
        settings: as in the selection.
        choices: what it chose.
        watch: called after each step.
        engine: what fits.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    fitted = engine.fit(data, settings.model, settings.training, steps=choices.steps, watch=watch)
    blend(fitted.model, data, choices)
    return fitted


def blend(model: TwoTower, data: TrainingData, choices: Choices) -> None:
    """Blend a model's parts as chosen, with the popularity that may be seen."""
    half_life = choices.fallback_half_life_days
    model.set_blend(
        taste_weight=choices.taste_weight,
        popularity_weight=choices.popularity_weight,
        popularity_scale=data.popularity(half_life).scale,
        half_life_days=half_life,
    )


def fit_for_release(
    snapshot: Snapshot,
    examples: Examples,
    space: FeatureSpace,
    settings: Settings,
    choices: Choices,
    *,
    watch: Watch = unwatched,
    engine: Engine = LOCAL,
) -> Fit:
    """Fit the evaluated recipe on everything.

    Args:
        snapshot: everything.
        examples: all of its examples.
        space: built from everything.
        settings: as evaluated.
        choices: as evaluated.
        watch: called after each step.
        engine: what fits.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    data = training_data(snapshot, History.from_snapshot(snapshot), examples, space)
    return refit(data, settings, choices, watch=watch, engine=engine)

"""The winner against the current settings on the test window, by the paired bootstrap over users.

Each is adapted on the validation window and fitted before the test window as a release would be, by several seeds;
a user's figure is the mean over them. Nothing in this package but this module is given the test window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from two_tower_assets.errors import TuningError
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.paired.compare import Figures, compared, found_by, standing_groups
from two_tower_assets.evaluation.selection import select
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import Trials
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import Settings
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.tuning.finalists import with_seed
from two_tower_assets.tuning.records import Contest
from two_tower_assets.tuning.search import Say


def hold_contest(trials: Trials, current: Settings, winner: Settings, say: Say, *, engine: Engine = LOCAL) -> Contest:
    """Fit both and compare what they find for the known users of the test window.

    Args:
        trials: of the snapshot that the search was about.
        current: the settings as they are.
        winner: as they might be; of equal features and evaluation.
        say: told what is being fitted.
        engine: what fits.

    Raises:
        TrainingError: one can't be fitted.
        TuningError: no known user likes anything in the test window.
    """
    task = trials.test.task
    known = task.part(task.has_history)
    if not len(known.users):
        raise TuningError(
            "No known user likes anything in the test window, so nothing can be compared there",
            where="evaluation.test_quantile",
            remedy="Take more decisions, or a smaller test_quantile.",
        )
    before = _by_seed(trials, current, "the current settings", say, engine)
    after = _by_seed(trials, winner, "the winner", say, engine)
    settings, split = current.evaluation, trials.examples.split
    groups = standing_groups(known, trials.test.data.history, settings)
    return Contest(
        begin=moment_of(split.test_from),
        end=moment_of(split.end),
        seeds=len(before),
        groups=tuple(compared(name, mask_U, _mean(before), _mean(after), settings) for name, mask_U in groups),
        by_seed=tuple(
            float(np.nanmean(own[RECALL]) - np.nanmean(other[RECALL]))
            for own, other in zip(after, before, strict=True)
        ),
    )


def _by_seed(trials: Trials, settings: Settings, name: str, say: Say, engine: Engine) -> list[Figures]:
    """Figures of each fit before the test window, of the known users."""
    say(f"test window: choosing steps and weights of {name}")
    choices = select(trials.validation, trials.videos, settings, engine=engine).choices
    found: list[Figures] = []
    for seed in range(settings.training.seed, settings.training.seed + settings.tuning.seeds):
        trial = trials.test
        fitted = refit(trial.data, with_seed(settings, seed), choices, engine=engine)
        figures = found_by(tower_ranking(fitted.model, trial, choices), trial.task)
        found.append({metric: value_U[trial.task.has_history] for metric, value_U in figures.items()})
        say(f"test window: fitted {name}, seed {seed}")
    return found


def _mean(found: Sequence[Figures]) -> Figures:
    return {metric: np.mean([figures[metric] for figures in found], axis=0) for metric in found[0]}

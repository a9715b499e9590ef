"""The towers in every trial: fitted anew on what may be seen there, then asked.

Users without any known decision are answered by the declared fallback, as in serving.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.fallback import fallback_scores
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.report import FALLBACK, MODEL, RERANKED
from two_tower_assets.evaluation.rerank import rerank, terms_of
from two_tower_assets.evaluation.selection import DEPTH
from two_tower_assets.evaluation.tower_scores import tower_scores, with_fallback
from two_tower_assets.evaluation.trials import GLOBAL, Trial, Trials
from two_tower_assets.settings import Settings
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Watch, unwatched


def tower_ranking(model: TwoTower, trial: Trial, choices: Choices, *, engine: Engine = LOCAL) -> Ranking:
    """Rank for everybody the trial asks about."""
    fallback = fallback_scores(trial.data, trial.task, choices.fallback_half_life_days)
    score = with_fallback(tower_scores(model, trial.data, trial.task), fallback, trial.task)
    return rank(trial.task, trial.data.history, score, DEPTH, engine=engine)


def rankings_of(
    model: TwoTower,
    trials: Trials,
    choices: Choices,
    settings: Settings,
    *,
    watch: Watch = unwatched,
    engine: Engine = LOCAL,
) -> Mapping[str, Mapping[str, Ranking]]:
    """Trial to method to lists: the towers, their re-ranked lists (global trial) and the fallback alone.

    Args:
        model: fitted before the test window.
        trials: of the same snapshot.
        choices: what the validation window decided.
        settings: the recipe; refitted for the other trials.
        watch: called after each step of a refit.
        engine: what fits and ranks.
    """
    rankings: dict[str, dict[str, Ranking]] = {}
    for name, trial in trials.asked.items():
        fitted = model
        if name != GLOBAL:
            fitted = refit(trial.data, settings, choices, watch=watch, engine=engine).model
        lists = tower_ranking(fitted, trial, choices, engine=engine)
        rankings[name] = {MODEL: lists, FALLBACK: _fallback(trial, choices)}
        if name == GLOBAL:
            rankings[name][RERANKED] = _reranked(lists, trial, trials.videos, choices, settings)
        # The next one is cut out before the name is bound anew.
        del trial, fitted
    return rankings


def _fallback(trial: Trial, choices: Choices) -> Ranking:
    score = fallback_scores(trial.data, trial.task, choices.fallback_half_life_days)
    return rank(trial.task, trial.data.history, score, DEPTH)


def _reranked(ranking: Ranking, trial: Trial, videos: pl.DataFrame, choices: Choices, settings: Settings) -> Ranking:
    terms_C = terms_of(videos, trial.task, trial.data.until, settings.rerank)
    return rerank(ranking, trial.task, terms_C, settings.rerank, strength=choices.rerank_strength)

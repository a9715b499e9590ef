"""What is chosen on the validation window, and nothing else is: one recipe for all data, adapted by four numbers.

| choice | by |
|---|---|
| steps | recall@200, early stopping |
| taste weight | the largest that costs at most `training.taste_cost` of NDCG@10 |
| half-life of the fallback | NDCG@10 + recall@200 of users without decisions |
| strength of the re-ranking | the largest that costs at most `rerank.largest_cost` of NDCG@10 |

The window lies before the test, so the report is about decisions that no choice has seen. Where nobody can be asked,
all steps are taken, taste and re-ranking count nothing and the half-life is the settings' first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.evaluation.choices import Choices, TradeOff
from two_tower_assets.evaluation.fallback import choose_half_life, fallback_scores
from two_tower_assets.evaluation.like_figures import like_figures
from two_tower_assets.evaluation.metrics import ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.rerank import strongest, terms_of
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.evaluation.tower_scores import tower_scores
from two_tower_assets.evaluation.trials import Trial
from two_tower_assets.settings import Settings
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Fit, Validate, Watch, fit, unwatched

DEPTH: Final = 200
"""Length of the lists that choices look at, and that the vector search returns for re-ranking."""
MAX_USERS: Final = 2000
"""More users than these make early stopping slower and no sharper."""


@dataclass(frozen=True)
class Selection:
    """The fit before the validation window, and what was chosen with it."""

    fit: Fit
    choices: Choices


def select(trial: Trial, videos: pl.DataFrame, settings: Settings, *, watch: Watch = unwatched) -> Selection:
    """Fit before the validation window and choose there.

    Args:
        trial: the validation window.
        videos: the snapshot's videos, for the re-ranking.
        settings: the recipe.
        watch: called after each step.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    known = trial.task.part(trial.task.has_history)
    fitted = fit(trial.data, settings.model, settings.training, validate=validation_measure(trial, known), watch=watch)
    trade_off = _trade_off(fitted.model, trial, known, settings)
    weight = heaviest(trade_off, settings.training.taste_cost)
    fitted.model.set_taste_weight(weight)
    choices = Choices(
        steps=fitted.steps,
        taste_weight=weight,
        fallback_half_life_days=_half_life(trial, settings),
        rerank_strength=_strength(fitted.model, trial, known, videos, settings),
        trade_off=trade_off,
    )
    return Selection(fitted, choices)


def validation_measure(trial: Trial, known: RankingTask) -> Validate | None:
    """Return recall@200 of the known users as a function of a model; None when there are none."""
    if not len(known.users):
        return None
    task = known.part(_sample(len(known.users)))

    def measure(model: TwoTower) -> float:
        return mean_recall(rank(task, trial.data.history, tower_scores(model, trial.data, task), DEPTH), task)

    return measure


def heaviest(trade_off: tuple[TradeOff, ...], cost: float) -> float:
    """Largest weight whose NDCG@10 is at least (1 − cost) times that of weight 0; 0 when nothing was measured."""
    if not trade_off:
        return 0.0
    needed = (1 - cost) * trade_off[0].metrics["ndcg@10"]
    return max(point.taste_weight for point in trade_off if point.metrics["ndcg@10"] >= needed)


def mean_ndcg(ranking: Ranking, task: RankingTask) -> float:
    """Mean NDCG@10."""
    return float(np.nanmean(ndcg_at(ranking.targets(task), 10)))


def mean_recall(ranking: Ranking, task: RankingTask) -> float:
    """Mean recall@200."""
    return float(np.nanmean(recall_at(ranking.targets(task), DEPTH)))


def _sample(users: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chosen = np.zeros(users, dtype=np.bool_)
    chosen[np.random.default_rng(0).choice(users, min(users, MAX_USERS), replace=False)] = True
    return chosen


def _trade_off(model: TwoTower, trial: Trial, known: RankingTask, settings: Settings) -> tuple[TradeOff, ...]:
    if not len(known.users) or not settings.training.taste_loss:
        return ()
    points = []
    for weight in sorted({0.0, *settings.training.taste_weights}):
        model.set_taste_weight(weight)
        ranking = rank(known, trial.data.history, tower_scores(model, trial.data, known), DEPTH)
        points.append(TradeOff(taste_weight=weight, metrics=like_figures(ranking, known)))
    return tuple(points)


def _half_life(trial: Trial, settings: Settings) -> float:
    half_lives = settings.evaluation.fallback_half_lives
    new = trial.task.part(~trial.task.has_history)
    if not len(new.users):
        return half_lives[0]

    def measure(half_life: float) -> float:
        ranking = rank(new, trial.data.history, fallback_scores(trial.data, new, half_life), DEPTH)
        return mean_ndcg(ranking, new) + mean_recall(ranking, new)

    return choose_half_life(half_lives, measure)


def _strength(
    model: TwoTower, trial: Trial, known: RankingTask, videos: pl.DataFrame, settings: Settings
) -> float:
    if not len(known.users):
        return 0.0
    ranking = rank(known, trial.data.history, tower_scores(model, trial.data, known), DEPTH)
    terms_C = terms_of(videos, known, trial.data.until, settings.rerank)
    return strongest(ranking, known, terms_C, settings.rerank, lambda lists: mean_ndcg(lists, known))

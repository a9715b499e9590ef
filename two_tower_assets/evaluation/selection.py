"""What is chosen on the validation window, and nothing else is: one recipe for all data, adapted by a few numbers.

| choice | by |
|---|---|
| steps | recall@200 + NDCG@10 at the end of the schedule |
| taste weight | the largest that costs at most `training.taste_cost` of NDCG@10 |
| popularity weight | the smallest within `training.popularity_slack` of the best NDCG@10 + recall@200 |
| half-life of the fallback | NDCG@10 + recall@200 of users without decisions |
| strength of the re-ranking | the largest that costs at most `rerank.largest_cost` of NDCG@10, and plausibly
|  | at most `rerank.largest_risk` |

The window lies before the test, so the report is about decisions that no choice has seen. Where nobody can be asked,
all steps are taken, taste and re-ranking count nothing and the half-life is the settings' first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.choices import Choices, LikeCalibration, TradeOff
from two_tower_assets.evaluation.fallback import choose_half_life, fallback_scores
from two_tower_assets.evaluation.fits import blend
from two_tower_assets.evaluation.like_figures import like_figures
from two_tower_assets.evaluation.metrics.like_calibration import fit_calibration
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.rerank import strongest, terms_of
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.evaluation.tower_scores import tower_scores
from two_tower_assets.evaluation.trials import Trial
from two_tower_assets.settings import Settings, TrainingSettings
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Fit, Validate, Watch, unwatched

DEPTH: Final = 200
"""Length of the lists that choices look at, and that the vector search returns for re-ranking."""
MAX_USERS: Final = 2000
"""More users than these make the curve of a fit slower and no sharper."""


@dataclass(frozen=True)
class Selection:
    """The fit before the validation window, and what was chosen with it."""

    fit: Fit
    choices: Choices


def select(
    trial: Trial,
    videos: pl.DataFrame,
    settings: Settings,
    *,
    watch: Watch = unwatched,
    engine: Engine = LOCAL,
) -> Selection:
    """Fit before the validation window and choose there.

    Args:
        trial: the validation window.
        videos: the snapshot's videos, for the re-ranking.
        settings: the recipe.
        watch: called after each step.
        engine: what fits.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    known = trial.task.part(trial.task.has_history)
    fitted = _best_schedule(trial, known, settings, watch, engine)
    trade_off = _trade_off(fitted.model, trial, known, settings)
    choices = Choices(
        steps=fitted.steps,
        taste_weight=heaviest(trade_off, settings.training),
        popularity_weight=0.0,
        fallback_half_life_days=_half_life(trial, settings),
        rerank_strength=0.0,
        trade_off=trade_off,
    )
    choices = _with_popularity(choices, fitted.model, trial, known, settings)
    blend(fitted.model, trial.data, choices)
    ranking = rank(known, trial.data.history, tower_scores(fitted.model, trial.data, known), DEPTH)
    served = {
        "rerank_strength": _strength(ranking, trial, known, videos, settings),
        "like_calibration": _calibration(ranking),
    }
    choices = choices.model_copy(update=served)
    return Selection(fitted, choices)


def _best_schedule(trial: Trial, known: RankingTask, settings: Settings, watch: Watch, engine: Engine) -> Fit:
    """Fit by each schedule and keep what validates best; the first one is taken where nobody can be asked."""
    validate = validation_measure(trial, known)
    schedules = settings.training.schedules if validate else settings.training.schedules[:1]
    fits = [
        engine.fit(trial.data, settings.model, settings.training, steps=steps, validate=validate, watch=watch)
        for steps in schedules
    ]
    return max(fits, key=lambda fitted: fitted.curves.last or 0.0)


def validation_measure(trial: Trial, known: RankingTask) -> Validate | None:
    """Return recall@200 + NDCG@10 of the known users as a function of a model; None when there are none."""
    if not len(known.users):
        return None
    task = known.part(_sample(len(known.users)))

    def measure(model: TwoTower) -> float:
        # Retrieval alone: how much taste counts is chosen afterwards.
        model.set_blend()
        ranking = rank(task, trial.data.history, tower_scores(model, trial.data, task), DEPTH)
        return mean_recall(ranking, task) + mean_ndcg(ranking, task)

    return measure


def heaviest(trade_off: tuple[TradeOff, ...], settings: TrainingSettings) -> float:
    """Largest allowed weight whose NDCG@10 is at least (1 − cost) times that of weight 0; 0 without any measure."""
    if not trade_off:
        return 0.0
    needed = (1 - settings.taste_cost) * trade_off[0].metrics["ndcg@10"]
    allowed = (point for point in trade_off if point.taste_weight <= settings.largest_taste_weight)
    return max((point.taste_weight for point in allowed if point.metrics["ndcg@10"] >= needed), default=0.0)


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
        model.set_blend(taste_weight=weight)
        ranking = rank(known, trial.data.history, tower_scores(model, trial.data, known), DEPTH)
        points.append(TradeOff(taste_weight=weight, metrics=like_figures(ranking, known)))
    return tuple(points)


def _with_popularity(
    choices: Choices, model: TwoTower, trial: Trial, known: RankingTask, settings: Settings
) -> Choices:
    """Choose how much popularity counts."""
    if not len(known.users):
        return choices
    values: dict[float, float] = {}
    for weight in sorted({0.0, *settings.training.popularity_weights}):
        blend(model, trial.data, choices.model_copy(update={"popularity_weight": weight}))
        ranking = rank(known, trial.data.history, tower_scores(model, trial.data, known), DEPTH)
        values[weight] = mean_ndcg(ranking, known) + mean_recall(ranking, known)
    return choices.model_copy(update={"popularity_weight": lightest(values, settings.training.popularity_slack)})


def lightest(values: Mapping[float, float], slack: float) -> float:
    """Smallest weight whose value is at least (1 − slack) times the best."""
    needed = (1 - slack) * max(values.values())
    return min(weight for weight, value in values.items() if value >= needed)


def _half_life(trial: Trial, settings: Settings) -> float:
    half_lives = settings.evaluation.fallback_half_lives
    new = trial.task.part(~trial.task.has_history)
    if not len(new.users):
        return half_lives[0]

    def measure(half_life: float) -> float:
        ranking = rank(new, trial.data.history, fallback_scores(trial.data, new, half_life), DEPTH)
        return mean_ndcg(ranking, new) + mean_recall(ranking, new)

    return choose_half_life(half_lives, measure)


def _strength(ranking: Ranking, trial: Trial, known: RankingTask, videos: pl.DataFrame, settings: Settings) -> float:
    if not len(known.users):
        return 0.0
    terms_C = terms_of(videos, known, trial.data.until, settings.rerank)
    return strongest(ranking, known, terms_C, settings.rerank, lambda lists: ndcg_at(lists.targets(known), 10))


def _calibration(ranking: Ranking) -> LikeCalibration | None:
    """Fit the like probability to all decisions of the window, whichever user's they are."""
    similarity, liked = decided_similarities(ranking)
    if not len(similarity):
        return None
    fitted = fit_calibration(similarity, liked)
    return LikeCalibration(a=fitted.a, b=fitted.b)


def decided_similarities(ranking: Ranking) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cosines of all LIKEs and NOPEs of a window, and which of them are LIKEs."""
    similarity = np.concatenate([ranking.target_score_T, ranking.nope_score_N]).astype(np.float64)
    liked = np.arange(len(similarity)) < len(ranking.target_score_T)
    return similarity, liked

"""The protocol of the test window: the towers and the baselines rank for the same users, and are compared.

The model given here must have been fitted on decisions before the window alone, with features from before it
(`selection` does that); that is what makes the figures honest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.popularity import popularity
from two_tower_assets.evaluation.metrics import coverage_at, ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Score, rank, tower_scores
from two_tower_assets.evaluation.report import GATE_K, MODEL, MOST_POPULAR, Group, Interval, Report, Window
from two_tower_assets.evaluation.task import RankingTask, ranking_task
from two_tower_assets.features.history import History
from two_tower_assets.features.times import moment_of
from two_tower_assets.progress import Progress, silent
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.trainer import Fit

_TOP: Final = 10
_RESAMPLES: Final = 1000


@dataclass(frozen=True)
class _Measured:
    """One method on one group of users."""

    metrics: dict[str, float]
    gate_recall_U: NDArray[np.float64]


def evaluate(fit: Fit, data: TrainingData, settings: EvaluationSettings, *, progress: Progress = silent) -> Report:
    """Measure a fit on the decisions from `data.until` to the end of the history.

    Args:
        fit: fitted on `data`, so on nothing of the window.
        data: its `until` is the cut-off.
        settings: list lengths and windows of the recently-popular baselines.
        progress: told of each method measured.
    """
    end = data.examples.split.end
    task = ranking_task(data, end)
    known, new = task.part(task.has_history), task.part(~task.has_history)
    total = 2 * (2 + len(settings.recent_days))
    known_group, known_by_method = _measure_group(fit, data, known, settings, lambda done: progress(done, total))
    new_group, _ = _measure_group(fit, data, new, settings, lambda done: progress(total // 2 + done, total))
    return Report(
        window=Window(start=moment_of(data.until), end=moment_of(end)),
        candidates=len(task.candidates),
        left_out=task.left_out,
        known_users=known_group,
        new_users=new_group,
        recall_gain=_gain(known_by_method),
        fitted_steps=fit.steps,
    )


def methods(fit: Fit, data: TrainingData, task: RankingTask, settings: EvaluationSettings) -> dict[str, Score]:
    """All methods by name, the towers first."""
    recently = {f"popular_{days}_days": popularity(data, days=days).score(task) for days in settings.recent_days}
    return {
        MODEL: tower_scores(fit.model, data, task),
        MOST_POPULAR: popularity(data).score(task),
        **recently,
    }


def bootstrap_interval(difference_U: NDArray[np.float64], *, seed: int = 0) -> Interval:
    """95 % percentile interval of the mean, users drawn with replacement 1000 times (Efron and Tibshirani 1993)."""
    rng = np.random.default_rng(seed)
    users = len(difference_U)
    means = [difference_U[rng.integers(users, size=users)].mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(mean=float(difference_U.mean()), low=float(low), high=float(high))


def _measure_group(
    fit: Fit, data: TrainingData, task: RankingTask, settings: EvaluationSettings, done: Callable[[int], None]
) -> tuple[Group, dict[str, _Measured]]:
    measured: dict[str, _Measured] = {}
    if len(task.users):
        for name, score in methods(fit, data, task, settings).items():
            measured[name] = _measure(task, data.history, score, settings)
            done(len(measured))
    group = Group(
        users=len(task.users),
        targets=len(task.target),
        metrics={name: result.metrics for name, result in measured.items()},
    )
    return group, measured


def _measure(task: RankingTask, history: History, score: Score, settings: EvaluationSettings) -> _Measured:
    ks = sorted({*settings.ks, GATE_K})
    ranking = rank(task, history, score, max(*ks, _TOP))
    recalls = {k: recall_at(ranking.hit_UK, task.relevant, k) for k in ks}
    metrics = {f"recall@{k}": float(recall_U.mean()) for k, recall_U in recalls.items()}
    metrics[f"ndcg@{_TOP}"] = float(ndcg_at(ranking.hit_UK, task.relevant, _TOP).mean())
    metrics[f"coverage@{_TOP}"] = coverage_at(ranking.top_UK, len(task.candidates), _TOP)
    return _Measured(metrics, recalls[GATE_K])


def _gain(measured: Mapping[str, _Measured]) -> Interval | None:
    if not measured:
        return None
    return bootstrap_interval(measured[MODEL].gate_recall_U - measured[MOST_POPULAR].gate_recall_U)

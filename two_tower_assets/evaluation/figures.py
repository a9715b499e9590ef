"""One trial's figures: every metric of every method, by group, with intervals and paired differences.

Metrics that are means over users have 95 % bootstrap intervals, and so have ratios of sums (purity, popularity lift);
those of a whole set of lists (coverage, Gini, maker concentration) have none, because a resample of users covers
less than all of them do. All methods share the same resamples, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.threads import side_by_side
from two_tower_assets.evaluation.bootstrap import Interval, Pair, Resampling, mean_pairs
from two_tower_assets.evaluation.groups import target_groups, user_groups
from two_tower_assets.evaluation.metrics.exposure import coverage_at, gini_of_exposure, listed_mean, novelty
from two_tower_assets.evaluation.metrics.liking import auc, nope_rate_at, purity_at
from two_tower_assets.evaluation.metrics.makers import maker_concentration, shares_of
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at, reciprocal_rank
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.report import MODEL, Group
from two_tower_assets.evaluation.shelf import Shelf
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.settings import EvaluationSettings

_TOP: Final = 10

Values = Mapping[str, NDArray[np.float64]]
Ratios = Mapping[str, Pair]


@dataclass(frozen=True)
class Lists:
    """What several methods say to the same users."""

    task: RankingTask
    shelf: Shelf
    rankings: Mapping[str, Ranking]


def group_figures(lists: Lists, settings: EvaluationSettings) -> dict[str, Group]:
    """Figures of every group of users and of targets that is not empty, as many at once as there are threads."""
    works: dict[str, Callable[[], Group]] = {
        name: partial(_of_users, lists, mask_U, settings)
        for name, mask_U in user_groups(lists.task, lists.shelf, settings.light_decisions)
    }
    for name, mask_T in target_groups(lists.task, lists.shelf):
        works[name] = partial(_of_targets, lists, mask_T, settings)
    return dict(zip(works, side_by_side(list(works.values())), strict=True))


def user_values(lists: Lists, ranking: Ranking, ks: tuple[int, ...]) -> dict[str, NDArray[np.float64]]:
    """[U] each metric that is a mean over users."""
    task, shelf = lists.task, lists.shelf
    targets, nopes = ranking.targets(task), ranking.nopes(task)
    found = {f"recall@{k}": recall_at(targets, k) for k in ks}
    gains = {f"ndcg@{k}": ndcg_at(targets, k) for k in ks}
    return {
        **found,
        **gains,
        "mrr": reciprocal_rank(targets),
        "auc": auc(targets.row, ranking.target_score_T, nopes.row, ranking.nope_score_N, len(task.users)),
        f"nope_rate@{_TOP}": nope_rate_at(nopes, _TOP),
        f"novelty@{_TOP}": novelty(ranking.top_UK, shelf.probability_C, _TOP),
    }


def _ratios(lists: Lists, ranking: Ranking) -> Ratios:
    """[U] numerator and denominator of each metric that is a ratio of sums."""
    task, shelf = lists.task, lists.shelf
    shown_U = listed_mean(ranking.top_UK, shelf.likes_C.astype(np.float64), _TOP)
    liked_U = shelf.liked_popularity_U
    return {
        f"purity@{_TOP}": purity_at(ranking.targets(task), ranking.nopes(task), _TOP),
        f"popularity_lift@{_TOP}": (shown_U - liked_U, liked_U),
    }


def _of_lists(lists: Lists, ranking: Ranking) -> dict[str, float]:
    """Metrics of all lists together."""
    candidates = len(lists.task.candidates)
    makers = shares_of(ranking.top_UK[:, :_TOP], lists.shelf.maker_C)
    return {
        f"coverage@{_TOP}": coverage_at(ranking.top_UK, candidates, _TOP),
        f"gini@{_TOP}": gini_of_exposure(ranking.top_UK, candidates, _TOP),
        f"maker_hhi@{_TOP}": maker_concentration(makers),
    }


def _of_users(lists: Lists, mask_U: NDArray[np.bool_], settings: EvaluationSettings) -> Group:
    part = Lists(
        lists.task.part(mask_U),
        _users_of_shelf(lists.shelf, mask_U),
        {name: ranking.part(lists.task, mask_U) for name, ranking in lists.rankings.items()},
    )
    resampling = Resampling(int(mask_U.sum()), seed=settings.seed, resamples=settings.resamples)
    values = {name: user_values(part, ranking, settings.ks) for name, ranking in part.rankings.items()}
    ratios = {name: _ratios(part, ranking) for name, ranking in part.rankings.items()}
    metrics, gains = _intervals(resampling, values, ratios)
    for name, ranking in part.rankings.items():
        metrics[name] |= {key: Interval.point(value) for key, value in _of_lists(part, ranking).items()}
    return Group(users=len(part.task.users), targets=len(part.task.targets), metrics=metrics, gains=gains)


def _of_targets(lists: Lists, mask_T: NDArray[np.bool_], settings: EvaluationSettings) -> Group:
    resampling = Resampling(len(lists.task.users), seed=settings.seed, resamples=settings.resamples)
    values = {
        name: {f"recall@{k}": recall_at(ranking.targets(lists.task).part(mask_T), k) for k in settings.ks}
        | {"ndcg@10": ndcg_at(ranking.targets(lists.task).part(mask_T), _TOP)}
        for name, ranking in lists.rankings.items()
    }
    metrics, gains = _intervals(resampling, values, {})
    users = len(np.unique(lists.task.targets.row[mask_T]))
    return Group(users=users, targets=int(mask_T.sum()), metrics=metrics, gains=gains)


def _intervals(
    resampling: Resampling, values: Mapping[str, Values], ratios: Mapping[str, Ratios]
) -> tuple[dict[str, dict[str, Interval]], dict[str, dict[str, Interval]]]:
    """Figures of each method, and the towers minus each other one, all from the same draws.

    Args:
        resampling: of the users.
        values: [U] by method and metric, whose means are asked for.
        ratios: [U] numerators and denominators by method and metric.
    """
    columns: dict[tuple[str, str, str], Pair] = {}
    for name, own in values.items():
        pairs = mean_pairs(own) | dict(ratios.get(name, {}))
        columns |= {("metrics", name, metric): pair for metric, pair in pairs.items()}
    others = [name for name in values if name != MODEL] if MODEL in values else []
    for name in others:
        gained = {metric: value_U - values[name][metric] for metric, value_U in values[MODEL].items()}
        columns |= {("gains", name, metric): pair for metric, pair in mean_pairs(gained).items()}
    found: dict[str, dict[str, dict[str, Interval]]] = {
        "metrics": {name: {} for name in values},
        "gains": {name: {} for name in others},
    }
    for (part, name, metric), interval in resampling.ratios(columns).items():
        found[part][name][metric] = interval
    return found["metrics"], found["gains"]


def _users_of_shelf(shelf: Shelf, mask_U: NDArray[np.bool_]) -> Shelf:
    return replace(shelf, liked_popularity_U=shelf.liked_popularity_U[mask_U], decisions_U=shelf.decisions_U[mask_U])

"""Figures of one ranking that say what is found and whether it is liked, as plain means without intervals."""

from __future__ import annotations

import numpy as np

from two_tower_assets.evaluation.metrics.liking import auc, nope_rate_at, purity_at
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.task import RankingTask


def like_figures(ranking: Ranking, task: RankingTask) -> dict[str, float]:
    """NDCG@10, recall@200, purity@10, NOPE rate@10 and AUC of LIKE against NOPE; what has no case is left out."""
    targets, nopes = ranking.targets(task), ranking.nopes(task)
    likes_U, decided_U = purity_at(targets, nopes, 10)
    auc_U = auc(targets.row, ranking.target_score_T, nopes.row, ranking.nope_score_N, targets.users)
    figures = {
        "ndcg@10": np.nanmean(ndcg_at(targets, 10)),
        "recall@200": np.nanmean(recall_at(targets, 200)),
        "nope_rate@10": np.nanmean(nope_rate_at(nopes, 10)),
        "purity@10": likes_U.sum() / decided_U.sum() if decided_U.sum() else np.nan,
        "auc": np.nanmean(auc_U) if np.isfinite(auc_U).any() else np.nan,
    }
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)}

"""Metrics of recommendations, one small function each; plain numpy, no data set and no model.

Accuracy and taste metrics give one value a user, NaN where a user has no case, so that means, intervals and segments
are the caller's; exposure metrics look at all lists together. Letters: U users, T targets (LIKEs), N NOPEs or
decisions, K ranks, C candidates.
"""

from two_tower_assets.evaluation.metrics.accuracy import hit_rate_at, ndcg_at, recall_at, reciprocal_rank
from two_tower_assets.evaluation.metrics.calibration import (
    Bin,
    brier_score,
    expected_calibration_error,
    fit_calibration,
    log_loss,
    reliability,
    sigmoid,
)
from two_tower_assets.evaluation.metrics.exposure import (
    coverage_at,
    gini_of_exposure,
    maker_concentration,
    mean_popularity,
    novelty,
    shares_of,
)
from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.taste import auc, nope_rate_at, purity_at

__all__ = [
    "Bin",
    "Hits",
    "auc",
    "brier_score",
    "coverage_at",
    "expected_calibration_error",
    "fit_calibration",
    "gini_of_exposure",
    "hit_rate_at",
    "log_loss",
    "maker_concentration",
    "mean_popularity",
    "ndcg_at",
    "nope_rate_at",
    "novelty",
    "purity_at",
    "recall_at",
    "reciprocal_rank",
    "reliability",
    "shares_of",
    "sigmoid",
]

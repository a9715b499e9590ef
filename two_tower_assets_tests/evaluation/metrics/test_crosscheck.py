"""Our figures beside those of independent libraries: trec_eval's own C code, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, ndcg_score, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from two_tower_assets.evaluation.metrics.calibration import brier_score, log_loss, reliability
from two_tower_assets.evaluation.metrics.like_calibration import RIDGE, fit_calibration
from two_tower_assets.evaluation.metrics.liking import auc
from two_tower_assets.evaluation.metrics.retrieval import hit_rate_at, ndcg_at, recall_at, reciprocal_rank
from two_tower_assets_tests.evaluation.metrics.lists import Lists, lists, random_lists

KS = (1, 3, 10, 20)
SEEDS = pytest.mark.parametrize("seed", range(5))
EXACT = {"rtol": 0, "atol": 1e-9}


def by_trec_eval(drawn: Lists) -> dict[str, dict[str, float]]:
    """Figures by user; trec_eval speaks only of users with a list and something relevant."""
    cuts = ",".join(map(str, KS))
    relevant = {str(user): {str(video): 1 for video in videos} for user, videos in enumerate(drawn.relevant)}
    run = {
        str(user): {str(video): float(-rank) for rank, video in enumerate(top) if video >= 0}
        for user, top in enumerate(drawn.top_UK.tolist())
    }
    measures = {f"recall.{cuts}", f"ndcg_cut.{cuts}", f"success.{cuts}", "recip_rank"}
    judge = pytrec_eval.RelevanceEvaluator({user: videos for user, videos in relevant.items() if videos}, measures)
    return judge.evaluate({user: videos for user, videos in run.items() if videos})


def assert_equal_to_trec_eval(drawn: Lists) -> int:
    figures = by_trec_eval(drawn)
    users = [int(user) for user in figures]
    ours = {"recip_rank": reciprocal_rank(drawn.hits)}
    for k in KS:
        ours |= {f"recall_{k}": recall_at(drawn.hits, k), f"ndcg_cut_{k}": ndcg_at(drawn.hits, k)}
        ours[f"success_{k}"] = hit_rate_at(drawn.hits, k)
    for name, value_U in ours.items():
        np.testing.assert_allclose(value_U[users], [figures[str(user)][name] for user in users], **EXACT)
    return len(users)


@SEEDS
def test_recall_ndcg_hit_rate_and_reciprocal_rank_are_those_of_trec_eval(seed: int) -> None:
    """For every user of random full lists, at four list lengths."""
    assert assert_equal_to_trec_eval(random_lists(seed)) > 30


@given(lists())
def test_they_agree_on_short_and_empty_lists_too(drawn: Lists) -> None:
    """Lists shorter than k, and fewer candidates than k."""
    assert_equal_to_trec_eval(drawn)


@SEEDS
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    """Over complete lists, which is what scikit-learn takes."""
    drawn = random_lists(seed, users=30, candidates=40, width=40)
    asked = [user for user, videos in enumerate(drawn.relevant) if videos]
    gain, score = np.zeros((30, 40)), np.zeros((30, 40))
    for user, videos in enumerate(drawn.relevant):
        gain[user, videos] = 1
        score[user, drawn.top_UK[user]] = np.arange(40, 0, -1)
    for k in KS:
        theirs = [ndcg_score(gain[[user]], score[[user]], k=k, ignore_ties=True) for user in asked]
        np.testing.assert_allclose(ndcg_at(drawn.hits, k)[asked], theirs, **EXACT)


@SEEDS
def test_auc_is_that_of_scikit_learn(seed: int) -> None:
    """For thirty users with ties, those without both kinds being NaN here and an error there."""
    rng = np.random.default_rng(seed)
    row, score, liked = rng.integers(30, size=200), rng.integers(8, size=200) / 8, rng.random(200) < 0.6
    ours = auc(row[liked], score[liked], row[~liked], score[~liked], 30)
    both = [user for user in range(30) if len(set(liked[row == user])) == 2]
    assert np.flatnonzero(~np.isnan(ours)).tolist() == both
    np.testing.assert_allclose(ours[both], [roc_auc_score(liked[row == u], score[row == u]) for u in both], **EXACT)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_brier_score_and_log_loss_are_those_of_scikit_learn(decisions: list[tuple[float, bool]]) -> None:
    """Certainties, right and wrong, among them."""
    probability, liked = np.array([p for p, _ in decisions]), np.array([kind for _, kind in decisions])
    labels = {"labels": [False, True]}
    assert brier_score(probability, liked) == pytest.approx(brier_score_loss(liked, probability, **labels), abs=1e-9)
    assert log_loss(probability, liked) == pytest.approx(sklearn_log_loss(liked, probability, **labels), abs=1e-9)


@SEEDS
def test_the_reliability_table_is_that_of_scikit_learn(seed: int) -> None:
    """Ten bins of equal mass over 997 decisions, a number that ten does not divide."""
    probability, liked = calibrated(seed)
    observed, predicted = calibration_curve(liked, probability, n_bins=10, strategy="quantile")
    table = reliability(probability, liked)
    np.testing.assert_allclose(table.predicted_B, predicted, **EXACT)
    np.testing.assert_allclose(table.observed_B, observed, **EXACT)


@SEEDS
def test_the_like_calibration_is_the_logistic_regression_of_scikit_learn(seed: int) -> None:
    """With the same ridge on the standardised score."""
    score, liked = calibrated(seed)
    standard = (score - score.mean()) / score.std()
    theirs = LogisticRegression(C=1 / RIDGE, solver="newton-cholesky", tol=1e-12).fit(standard[:, None], liked)
    probability = theirs.predict_proba(standard[:, None])[:, 1]
    np.testing.assert_allclose(fit_calibration(score, liked).probability(score), probability, **EXACT)


def calibrated(seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    probability = rng.random(997)
    return probability, rng.random(997) < probability

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines import inverse
from two_tower_assets.evaluation.baselines.ease import Ease, weights
from two_tower_assets.evaluation.baselines.inverse import inverted
from two_tower_assets.evaluation.baselines.likes import LikedVideos
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past, ranked, scores

TABLE = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]])


def liked(table: np.ndarray) -> LikedVideos:  # type: ignore[type-arg]
    return LikedVideos(np.arange(table.shape[1]), np.arange(len(table)), csr_matrix(table.astype(np.float32)))


def steck(table: np.ndarray, ridge: float) -> np.ndarray:  # type: ignore[type-arg]
    """The paper's own lines: P = (XᵀX + λI)⁻¹, B = P / −diag(P), diagonal 0."""
    inverse_of_gram = np.linalg.inv(table.T @ table + ridge * np.eye(table.shape[1]))
    result = inverse_of_gram / -np.diag(inverse_of_gram)
    np.fill_diagonal(result, 0)
    return result


@pytest.mark.parametrize("ridge", [0.5, 10.0, 1000.0])
def test_weights_are_the_papers_closed_form(ridge: float) -> None:
    """Equal to it in float64; the diagonal is exactly 0 and there are no constants."""
    weight, constant = weights(liked(TABLE), {"ridge": ridge, "intercept": 0})
    np.testing.assert_allclose(weight, steck(TABLE, ridge), rtol=1e-4, atol=1e-7)
    assert not np.diag(weight).any()
    assert not constant.any()


def test_weights_solve_the_ridge_regression_without_the_diagonal() -> None:
    """Column j holds the coefficients of predicting video j from all the others."""
    weight, _ = weights(liked(TABLE), {"ridge": 2.0, "intercept": 0})
    for video in range(TABLE.shape[1]):
        others = np.delete(TABLE, video, axis=1)
        solved = np.linalg.solve(others.T @ others + 2.0 * np.eye(3), others.T @ TABLE[:, video])
        np.testing.assert_allclose(np.delete(weight[:, video], video), solved, rtol=1e-4)


@pytest.mark.parametrize("intercept", [1.0, 2.0])
def test_an_intercept_is_a_video_that_everyone_likes(intercept: float) -> None:
    """The weights are those of the table with one more column, whose own weights are the constants."""
    wide = np.hstack([TABLE, np.full((len(TABLE), 1), intercept)])
    expected = steck(wide, 3.0)
    weight, constant = weights(liked(TABLE), {"ridge": 3.0, "intercept": intercept})
    np.testing.assert_allclose(weight, expected[:-1, :-1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(constant, intercept * expected[-1, :-1], rtol=1e-4)


def test_scores_are_sums_of_weights_and_unliked_videos_stand_last(tmp_path: Path) -> None:
    """A user's row times the weights plus constants; video 4, that nobody liked, is below all of them."""
    pairs = [(user + 1, video) for user, video in zip(*TABLE.nonzero(), strict=True)]
    data = past(tmp_path, likes(pairs), videos=6, users=4)
    parameters = {"ridge": 1.0, "intercept": 1.0}
    score_UC = scores(Ease().fit(data, parameters), asked(data))
    weight, constant = weights(liked(TABLE), parameters)
    # Users 0 and 3 are asked about: user 0 is new, and 3 is the third row of the table.
    np.testing.assert_allclose(score_UC[1, :4], TABLE[2] @ weight + constant, rtol=1e-5)
    assert ranked(score_UC)[1][-2:] == [4, 5]


def test_of_too_many_videos_the_most_liked_get_weights_and_it_is_said(tmp_path: Path) -> None:
    """Videos 1, 2 and 3 have two LIKEs each, 0 one: with room for two, the first two of the equals are kept."""
    pairs = [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (3, 3), (3, 0), (4, 0), (5, 0)]
    data = past(tmp_path, likes(pairs), videos=4, users=2)
    fitted = Ease(max_videos=2).fit(data, {"ridge": 1.0, "intercept": 0})
    assert fitted.video.tolist() == [0, 1]
    assert fitted.notes == ("Only the 2 most liked of 4 liked videos are compared.",)
    assert Ease(max_videos=4).fit(data, {"ridge": 1.0, "intercept": 0}).notes == ()
    assert np.isfinite(scores(fitted, asked(data))).all()


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_an_inverse_is_the_inverse(size: int, seed: int, block: int) -> None:
    """Against numpy's in float64; both halves, whatever the block of the mirror."""
    table = np.random.default_rng(seed).integers(0, 2, (20, size))
    gram = table.T @ table + np.eye(size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inverse, "_BLOCK", block)
        found = inverted(gram.astype(np.float32))
    np.testing.assert_allclose(found, np.linalg.inv(gram), atol=1e-4)
    assert (found == found.T).all()


def test_what_is_not_positive_definite_is_refused_with_the_remedy() -> None:
    """As rounding could make a matrix that a ridge is too small for."""
    with pytest.raises(EvaluationError, match="larger ridge"):
        inverted(np.array([[1, 2], [2, 1]], dtype=np.float32))

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines import library
from two_tower_assets.evaluation.baselines.als import Als
from two_tower_assets.evaluation.baselines.bpr import Bpr
from two_tower_assets.evaluation.baselines.likes import state_likes
from two_tower_assets.evaluation.baselines.popularity import popularity
from two_tower_assets.training.data import TrainingData
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past, scores

ALS = {"factors": 4, "alpha": 3.0, "regularization": 2.0}
BPR = {"factors": 8, "learning_rate": 0.05, "regularization": 0.01, "iterations": 60}


def two_groups(folder: Path) -> TrainingData:
    """Even users like even videos, odd users odd ones; a third of them each. Videos 0 and 1 are liked by none."""
    rng = np.random.default_rng(0)
    pairs = [(user, int(video)) for user in range(60) for video in 2 + user % 2 + 2 * rng.permutation(15)[:5]]
    return past(folder, likes(pairs), videos=32, users=60)


def test_als_solves_for_the_user_factors_of_a_state(tmp_path: Path) -> None:
    """User factors are (YᵀY + Yᵀ(C − I)Y + λI)⁻¹ YᵀCp with C = α on LIKEs (Hu et al. 2008, equation 4)."""
    pytest.importorskip("implicit")
    data = two_groups(tmp_path)
    task = asked(data)
    fitted = Als().fit(data, ALS)
    video = fitted.model.item_factors.astype(np.float64)
    like = state_likes(data, task, fitted.video).toarray()
    for row in (0, 1, 17):
        confidence = np.where(like[row] > 0, ALS["alpha"], 1.0)
        normal = (video.T * confidence) @ video + ALS["regularization"] * np.eye(4)
        user = np.linalg.solve(normal, video.T @ (confidence * like[row]))
        np.testing.assert_allclose(scores(fitted, task)[row, fitted.video], video @ user, rtol=1e-3, atol=1e-5)


def test_bpr_puts_back_the_popularity_that_its_sampling_takes_away(tmp_path: Path) -> None:
    """Where taste plays no part, products of factors hardly grow with log LIKEs; scores are those plus log LIKEs."""
    pytest.importorskip("implicit")
    rng = np.random.default_rng(0)
    chance = np.geomspace(0.2, 0.01, 60)
    pairs = [(user, video) for user in range(800) for video in np.flatnonzero(rng.random(60) < chance).tolist()]
    data = past(tmp_path, likes(pairs), videos=60, users=801)
    fitted = Bpr().fit(data, {**BPR, "learning_rate": 0.03, "regularization": 0.03, "iterations": 100})
    product_UM = fitted.user_UD @ fitted.video_MD.T
    log_likes_M = np.log(popularity(data).ever[fitted.video])
    assert abs(np.polyfit(log_likes_M, product_UM.mean(axis=0), 1)[0]) < 0.2
    task = asked(data)
    learned = np.isin(task.users, fitted.user)
    expected = product_UM[np.isin(fitted.user, task.users)] + log_likes_M
    np.testing.assert_allclose(scores(fitted, task)[learned][:, fitted.video], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("baseline", "parameters"), [(Als(), ALS), (Bpr(), BPR)], ids=["als", "bpr"])
def test_factors_find_the_group_and_repeat_to_the_last_digit(
    tmp_path: Path, baseline: Als | Bpr, parameters: dict[str, float]
) -> None:
    """Each user's best video is one of the user's group; a second fit gives the same bits, and no warning."""
    pytest.importorskip("implicit")
    data = two_groups(tmp_path)
    task = asked(data)
    score_UC = scores(baseline.fit(data, parameters), task)
    of_group = score_UC[:, 2:].reshape(len(task.users), 15, 2).mean(axis=1)
    assert (of_group.argmax(axis=1) == task.users % 2).all()
    assert (scores(baseline.fit(data, parameters), task) == score_UC).all()


def test_a_fit_that_diverges_says_so(tmp_path: Path) -> None:
    """A learning rate beyond reason ends in infinities, which is an error and not a list of them."""
    pytest.importorskip("implicit")
    data = two_groups(tmp_path)
    with pytest.raises(EvaluationError, match="diverged"):
        Bpr().fit(data, {**BPR, "learning_rate": 1e20})


@pytest.mark.parametrize("method", [Als(), Bpr()], ids=["als", "bpr"])
def test_more_likes_than_a_method_keeps_up_with_leave_it_out_and_say_so(
    method: Als | Bpr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason goes into the report, where the other methods stand."""
    pytest.importorskip("implicit")
    monkeypatch.setattr(library, "MAX_LIKES", 299)
    with pytest.raises(EvaluationError, match="300 LIKEs are more than the 299 that"):
        method.fit(two_groups(tmp_path), ALS)


@pytest.mark.parametrize("baseline", [Als(), Bpr()], ids=["als", "bpr"])
def test_without_the_library_the_method_is_not_available_and_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, baseline: Als | Bpr
) -> None:
    """None in `sys.modules` is how Python itself marks a module that cannot be imported."""
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    monkeypatch.setitem(sys.modules, "implicit.cpu.bpr", None)
    with pytest.raises(EvaluationError, match=r"not available.*pip install 'two-tower-assets\[baselines\]'"):
        baseline.fit(two_groups(tmp_path), baseline.grid[0])

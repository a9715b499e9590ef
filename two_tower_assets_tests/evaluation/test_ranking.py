from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from two_tower_assets.evaluation import ranking
from two_tower_assets.evaluation.ranking import Ranking, rank, reordered
from two_tower_assets.evaluation.task import Later, RankingTask, make_task
from two_tower_assets.evaluation.tower_scores import tower_scores, with_fallback
from two_tower_assets.evaluation.trials import Source, final_trial
from two_tower_assets.features.history import LIKE, NOPE, OTHER
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import SMALL, cut, data_of, tastes

CUT = START + timedelta(days=10)


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    """Videos 0–3 can be recommended at the cut-off; 4 is inactive, 5 is released later, 9 is unknown."""
    videos = [
        *({"id": uid(video)} for video in range(4)),
        {"id": uid(4), "is_active": False},
        {"id": uid(5), "product_released_at": CUT},
    ]
    rows = [
        (uid(0), uid(0), "like", START),
        (uid(0), uid(1), "nope", START + timedelta(days=9)),
        (uid(1), uid(1), "like", START + timedelta(days=8)),
        (uid(2), uid(0), "like", CUT + timedelta(days=1)),
    ]
    return data_of(world(videos, rows), tmp_path, CUT)


@pytest.fixture
def task(data: TrainingData) -> RankingTask:
    """Later user 0 likes 2 and refuses 3, user 1 refuses 0, and user 2 likes 0, 3, 4, 5 and an unknown video."""
    later = Later(
        user=np.array([0, 0, 1, 2, 2, 2, 2, 2, 2, -1]),
        video=np.array([2, 3, 0, 0, 3, 4, 5, -1, 1, 0]),
        kind=np.array([LIKE, NOPE, NOPE, LIKE, LIKE, LIKE, LIKE, LIKE, OTHER, LIKE], dtype=np.int8),
    )
    moment = np.full(3, data.until)
    return make_task(data.history, later, candidates=data.catalogue, state_end=data.user_end, moment=moment)


def test_targets_are_later_likes_of_candidates_and_the_others_are_counted(task: RankingTask) -> None:
    """User 0 has one target and a past, user 2 two targets and none; three LIKEs fall out, each with its reason."""
    assert task.candidates.tolist() == [0, 1, 2, 3]
    assert task.users.tolist() == [0, 2]
    assert task.relevant.tolist() == [1, 2]
    assert task.has_history.tolist() == [True, False]
    assert (task.nopes.row.tolist(), task.nopes.place.tolist()) == ([0], [3])
    assert task.left_out == {"unknown_video": 1, "inactive_video": 1, "no_candidate": 1}
    new = task.part(~task.has_history)
    assert (new.users.tolist(), new.targets.row.tolist(), new.targets.place.tolist()) == ([2], [0, 0], [0, 3])
    assert len(new.nopes) == 0


def constant(scores: list[float]) -> ranking.Score:
    def score(rows: np.ndarray) -> Tensor:  # type: ignore[type-arg]
        return torch.tensor(scores).repeat(len(rows), 1)

    return score


@pytest.mark.parametrize("block_scores", [1, 1 << 20])
def test_decided_videos_are_removed_and_short_lists_are_padded(
    data: TrainingData, task: RankingTask, monkeypatch: pytest.MonkeyPatch, block_scores: int
) -> None:
    """User 0 decided 0 and 1 before, so 2 and 3 remain; user 2 sees all four; blocks of any size agree."""
    monkeypatch.setattr(ranking, "_BLOCK_SCORES", block_scores)
    result = rank(task, data.history, constant([0.9, 0.8, 0.1, 0.2]), 10)
    assert result.top_UK.tolist() == [[3, 2, -1, -1], [0, 1, 3, 2]]
    assert result.target_rank_T.tolist() == [1, 0, 2]
    assert result.nope_rank_N.tolist() == [0]
    np.testing.assert_allclose(result.target_score_T, [0.1, 0.9, 0.2])
    np.testing.assert_allclose(result.nope_score_N, [0.2])


def test_what_is_beyond_the_list_has_no_rank(data: TrainingData, task: RankingTask) -> None:
    """A list of one holds neither user 0's target nor user 2's second."""
    result = rank(task, data.history, constant([0.9, 0.8, 0.1, 0.2]), 1)
    assert result.target_rank_T.tolist() == [-1, 0, -1]


def test_a_score_that_is_not_finite_is_never_shown(data: TrainingData, task: RankingTask) -> None:
    """NaN and −∞ are left out, as decided videos are."""
    result = rank(task, data.history, constant([float("-inf"), 0.5, float("nan"), 0.2]), 10)
    assert set(result.top_UK[1].tolist()) <= {1, 3, -1}


def test_reordering_moves_ranks_and_keeps_what_is_in_the_list(data: TrainingData, task: RankingTask) -> None:
    """Scores turned round put user 0's target before the NOPE; padding stays last; other lists likewise."""
    before = rank(task, data.history, constant([0.9, 0.8, 0.1, 0.2]), 10)
    after = reordered(before, task, -before.score_UK)
    assert after.top_UK.tolist() == [[2, 3, -1, -1], [2, 3, 1, 0]]
    assert after.target_rank_T.tolist() == [0, 3, 1]
    assert after.nope_rank_N.tolist() == [1]


def test_lists_come_back_from_their_file(data: TrainingData, task: RankingTask, tmp_path: Path) -> None:
    """Every array is equal, and so is the part of one user."""
    result = rank(task, data.history, constant([0.9, 0.8, 0.1, 0.2]), 10)
    result.save(tmp_path / "lists.safetensors")
    loaded = Ranking.load(tmp_path / "lists.safetensors")
    for name, value in vars(result).items():
        assert np.array_equal(getattr(loaded, name), value)
    part = loaded.part(task, np.array([False, True]))
    assert part.target_rank_T.tolist() == [0, 2]
    assert len(part.nope_rank_N) == 0


def test_new_users_are_answered_by_the_fallback_and_the_others_are_not(task: RankingTask) -> None:
    """In whatever rows they are asked for."""
    score = with_fallback(constant([1.0, 2.0, 3.0, 4.0]), constant([4.0, 3.0, 2.0, 1.0]), task)
    assert score(np.array([0, 1])).tolist() == [[1, 2, 3, 4], [4, 3, 2, 1]]
    assert score(np.array([1])).tolist() == [[4, 3, 2, 1]]


def test_tower_scores_are_cosines_of_states_frozen_at_the_cutoff(tmp_path: Path) -> None:
    """They equal the two towers' products computed one by one, and nothing after the cut-off changes them."""
    place = tastes()
    moment = cut(place, "test_from")
    (tmp_path / "whole").mkdir()
    whole = place.snapshot(tmp_path / "whole")
    source = Source.of(whole, SMALL.features, SMALL.evaluation)
    trial = final_trial(source, find_examples(source.history, SMALL.evaluation))
    torch.manual_seed(0)
    model = TwoTower(trial.space.user_dim, trial.space.item_dim, SMALL.model).eval()
    scores = tower_scores(model, trial.data, trial.task)(np.array([3]))
    past = data_of(place.until(moment), tmp_path / "past", moment, full=place)
    user = past.history.user_ids.to_list().index(trial.data.history.user_ids[int(trial.task.users[3])])
    end = past.history.user_offsets[[user + 1]]
    vector = past.states.vectors(np.array([user], dtype=np.int32), end, np.array([trial.data.until]))
    items = past.items.rows(trial.task.candidates.astype(np.int64))
    popularity = torch.from_numpy(past.popularity(1.0).value[trial.task.candidates])
    slots = torch.full((len(items),), -1)
    expected = model.user(torch.from_numpy(vector)) @ model.item(torch.from_numpy(items), slots, popularity).T
    torch.testing.assert_close(scores, expected.detach())

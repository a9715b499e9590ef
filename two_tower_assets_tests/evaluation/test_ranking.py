from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from two_tower_assets.evaluation import ranking
from two_tower_assets.evaluation.ranking import rank, tower_scores
from two_tower_assets.evaluation.task import RankingTask, ranking_task
from two_tower_assets.evaluation.validation import validation_measure
from two_tower_assets.features.times import microseconds
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import SMALL, cut, data_of, tastes

CUT = START + timedelta(days=10)
LATER = CUT + timedelta(days=1)
END = microseconds(CUT + timedelta(days=99))


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
        (uid(0), uid(2), "like", CUT),
        (uid(0), uid(3), "nope", LATER),
        (uid(1), uid(1), "like", START + timedelta(days=8)),
        (uid(2), uid(0), "like", LATER),
        (uid(2), uid(3), "like", LATER),
        (uid(2), uid(4), "like", LATER),
        (uid(2), uid(5), "like", LATER),
        (uid(2), uid(9), "like", LATER),
        (uid(3), uid(0), "like", START + timedelta(days=1)),
    ]
    return data_of(world(videos, rows), tmp_path, CUT)


def test_targets_are_later_likes_of_candidates_and_the_others_are_counted(data: TrainingData) -> None:
    """User 0 has one target and a past, user 2 two targets and none; three LIKEs fall out, each with its reason."""
    task = ranking_task(data, END)
    assert task.candidates.tolist() == [0, 1, 2, 3]
    assert task.users.tolist() == [0, 2]
    assert task.relevant.tolist() == [1, 2]
    assert task.has_history.tolist() == [True, False]
    assert task.state_end.tolist() == [2, data.history.user_offsets[2]]
    assert task.left_out == {"unknown_video": 1, "inactive_video": 1, "not_released_at_the_cutoff": 1}
    new = task.part(~task.has_history)
    assert (new.users.tolist(), new.target_row.tolist(), new.target.tolist()) == ([2], [0, 0], [0, 3])


def constant(scores: list[float]) -> ranking.Score:
    def score(rows: np.ndarray) -> Tensor:  # type: ignore[type-arg]
        return torch.tensor(scores).repeat(len(rows), 1)

    return score


@pytest.mark.parametrize("block_scores", [1, 1 << 20])
def test_decided_videos_are_removed_and_short_lists_are_padded(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch, block_scores: int
) -> None:
    """User 0 decided 0 and 1 before, so 2 and 3 remain; user 2 sees all four; blocks of any size agree."""
    monkeypatch.setattr(ranking, "_BLOCK_SCORES", block_scores)
    result = rank(ranking_task(data, END), data.history, constant([0.9, 0.8, 0.1, 0.2]), 10)
    assert result.top_UK.tolist() == [[3, 2, -1, -1], [0, 1, 3, 2]]
    assert result.hit_UK.tolist() == [[False, True, False, False], [True, False, True, False]]


def test_tower_scores_are_cosines_of_states_frozen_at_the_cutoff(tmp_path: Path) -> None:
    """They equal the two towers' products computed one by one, and nothing after the cut-off changes them."""
    place = tastes()
    moment = cut(place, "test_from")
    whole = data_of(place, tmp_path / "whole", moment)
    past = data_of(place.until(moment), tmp_path / "past", moment, full=place)
    torch.manual_seed(0)
    model = TwoTower(whole.states.space.user_dim, whole.states.space.item_dim, SMALL.model).eval()
    task = ranking_task(whole, whole.examples.split.end)
    scores = tower_scores(model, whole, task)(np.array([3]))
    user = whole.states.vectors(task.users[[3]], task.state_end[[3]], np.array([whole.until]))
    items = whole.items.rows(task.candidates.astype(np.int64))
    expected = model.user(torch.from_numpy(user)) @ model.item(torch.from_numpy(items)).T
    torch.testing.assert_close(scores, expected.detach())
    frozen = RankingTask(**{**vars_of(task), "state_end": past.history.prefix_at(task.users, past.until)})
    torch.testing.assert_close(tower_scores(model, past, frozen)(np.array([3])), scores)


def vars_of(task: RankingTask) -> dict[str, object]:
    return {name: getattr(task, name) for name in task.__dataclass_fields__}


def test_validation_measures_known_users_only_and_is_none_without_any(data: TrainingData) -> None:
    """User 0 alone is asked about: of its two remaining videos the target is always among the first 200."""
    model = TwoTower(data.states.space.user_dim, data.states.space.item_dim, SMALL.model).eval()
    measure = validation_measure(data, END)
    assert measure is not None
    assert measure(model) == 1.0
    assert validation_measure(data, data.until) is None

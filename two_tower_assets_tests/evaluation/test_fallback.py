from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.evaluation.fallback import choose_half_life, fallback_scores
from two_tower_assets.evaluation.task import Later, RankingTask, make_task
from two_tower_assets.features.history import LIKE
from two_tower_assets.training.data import TrainingData
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import data_of

CUT = START + timedelta(days=10)


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    """Video 0 is liked twice ten days before the cut-off, 1 once a day before, 2 after it, 3 only NOPEd."""
    rows = [
        (uid(0), uid(0), "like", START),
        (uid(1), uid(0), "like", START),
        (uid(0), uid(1), "like", CUT - timedelta(days=1)),
        (uid(0), uid(2), "like", CUT + timedelta(days=1)),
        (uid(1), uid(3), "nope", START),
    ]
    return data_of(world([{"id": uid(video)} for video in range(4)], rows), tmp_path, CUT)


@pytest.fixture
def task(data: TrainingData) -> RankingTask:
    later = Later(np.array([0, 1]), np.array([2, 2]), np.array([LIKE, LIKE], dtype=np.int8))
    return make_task(
        data.history, later, candidates=data.catalogue, state_end=data.user_end, moment=np.full(2, data.until)
    )


@pytest.mark.parametrize("half_life", [1.0, 5.0, 1000.0])
def test_a_like_counts_half_after_each_half_life_and_later_ones_do_not(
    data: TrainingData, task: RankingTask, half_life: float
) -> None:
    """2 · 2^(−10 / h) against 2^(−1 / h): short half-lives prefer what is new, long ones what is liked most."""
    scores = fallback_scores(data, task, half_life)(np.array([0])).tolist()
    assert scores == [pytest.approx([2 * 2 ** (-10 / half_life), 2 ** (-1 / half_life), 0.0, 0.0])]


def test_everyone_gets_the_same_list_in_memory_of_their_own(data: TrainingData, task: RankingTask) -> None:
    """Rows are equal, and overwriting one does not change another."""
    scores = fallback_scores(data, task, 5.0)
    block = scores(np.array([0, 1]))
    assert block[0].tolist() == block[1].tolist()
    before = block[1].tolist()
    block[0] = -1.0
    assert block[1].tolist() == before
    assert scores(np.array([0]))[0].tolist() == before


def test_the_best_half_life_is_chosen_and_the_first_of_equals() -> None:
    """The settings' first half-life is the default that only a better one replaces."""
    assert choose_half_life((30.0, 7.0, 14.0), {30.0: 0.1, 7.0: 0.3, 14.0: 0.2}.__getitem__) == 7.0
    assert choose_half_life((30.0, 7.0, 14.0), lambda _: 0.1) == 30.0

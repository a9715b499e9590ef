"""Two rankings of one task, counted by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import torch

from two_tower_assets.evaluation.nightly.next_day import RECALL, next_day_task
from two_tower_assets.evaluation.paired.compare import NOPES, Pair
from two_tower_assets.evaluation.paired.tastes import taste_groups
from two_tower_assets.evaluation.ranking import rank
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.features.times import microseconds
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets_tests.features.worlds import START, uid, world

VIDEOS = 120
BEGIN = START + timedelta(days=10)
SETTINGS = EvaluationSettings(light_decisions=2)
TAGS = [["Drama"] if video % 2 else ["Comedy", "Drama"] for video in range(VIDEOS)]


@pytest.fixture(scope="module")
def history() -> History:
    """Three people, who each decide twice after the begin; the second decision is what is asked for."""
    day, hour = timedelta(days=1), timedelta(hours=1)
    rows = [
        (uid(0), uid(1), "like", BEGIN - 3 * day),
        (uid(0), uid(3), "like", BEGIN - 2 * day),
        (uid(0), uid(5), "nope", BEGIN),
        (uid(0), uid(100), "like", BEGIN + hour),
        (uid(1), uid(2), "like", BEGIN - day),
        (uid(1), uid(7), "nope", BEGIN),
        (uid(1), uid(10), "like", BEGIN + hour),
        (uid(2), uid(4), "nope", BEGIN),
        (uid(2), uid(101), "like", BEGIN + hour),
        (uid(2), uid(0), "nope", BEGIN + 2 * hour),
        (uid(2), uid(102), "nope", BEGIN + 3 * hour),
    ]
    return world([{"id": uid(video)} for video in range(VIDEOS)], rows).history


@pytest.fixture(scope="module")
def task(history: History) -> RankingTask:
    """All three are asked, with 3, 2 and 2 decisions known."""
    until = microseconds(BEGIN + timedelta(days=1))
    return next_day_task(history, np.arange(VIDEOS, dtype=np.int32), microseconds(BEGIN), until)


@pytest.fixture(scope="module")
def pair(history: History, task: RankingTask) -> Pair:
    """One model goes from the first video to the last, the other from the last to the first."""
    order_C = -torch.arange(VIDEOS, dtype=torch.float32)
    first, last = (
        rank(task, history, lambda rows, order_C=order: order_C.repeat(len(rows), 1), 50)
        for order in (order_C, -order_C)
    )
    return Pair(task, history, first, last)


def test_who_finds_what_by_hand(pair: Pair) -> None:
    """Video 10 is among the first fifty, video 100 among the last: one user is better off, one worse."""
    everybody, light, heavy = pair.groups([], SETTINGS)
    assert [(group.name, group.users) for group in (everybody, light, heavy)] == [
        ("all", 2),
        ("light", 1),
        ("heavy", 1),
    ]
    assert everybody.before[RECALL].mean == everybody.after[RECALL].mean == 0.5
    assert (everybody.better, everybody.worse) == (0.5, 0.5)
    assert everybody.difference[RECALL].mean == 0
    assert (light.difference[RECALL].mean, heavy.difference[RECALL].mean) == (-1, 1)


def test_opposite_lists_have_nothing_in_common(pair: Pair) -> None:
    """And each is the same as itself."""
    assert pair.same(SETTINGS).mean == 0
    itself = Pair(pair.task, pair.history, pair.before, pair.before)
    assert itself.same(SETTINGS).mean == 1
    assert itself.changed() == ()
    assert all(group.difference[RECALL].mean == 0 for group in itself.groups([], SETTINGS))


def test_a_changed_list_is_shown_with_what_it_gains(pair: Pair) -> None:
    """User 1 liked video 10, which stands ninth of the first list, and not in the other."""
    (changed,) = pair.changed()
    assert changed.user_id == uid(1)
    assert changed.liked == (uid(10),)
    assert changed.before == tuple(uid(video) for video in (0, 1, 3, 4, 5, 6, 8, 9, 10, 11))
    assert changed.after[0] == uid(VIDEOS - 1)


def test_tastes_are_what_was_liked_before_the_moment(history: History, task: RankingTask) -> None:
    """User 0 liked two dramas; user 1 a comedy that is a drama too, and the name decides."""
    groups = {name: mask.tolist() for name, mask in taste_groups(task, history, TAGS)}
    assert groups == {"taste: Comedy": [False, True], "taste: Drama": [True, False]}
    assert dict(taste_groups(task, history, [[] for _ in TAGS])) == {}


def test_a_figure_that_nobody_has_is_left_out(pair: Pair) -> None:
    """Without a NOPE to be seen there is no share of them."""
    (everybody, *_) = pair.groups([], SETTINGS)
    assert set(everybody.difference) <= {RECALL, "ndcg@10", NOPES}

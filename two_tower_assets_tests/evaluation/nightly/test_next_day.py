from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import torch

from two_tower_assets.evaluation.nightly.next_day import RECALL, day_values, next_day_task, popular_score
from two_tower_assets.features.history import History
from two_tower_assets.features.times import microseconds
from two_tower_assets_tests.features.worlds import START, uid, world

VIDEOS = 60
MORNING = (START + timedelta(days=10)).replace(hour=0, minute=0)
DAY = timedelta(days=1)
BEGIN, END = microseconds(MORNING), microseconds(MORNING + DAY)


@pytest.fixture
def history() -> History:
    """One day of six people; video 59 comes too late to be recommended."""

    def at(hour: int) -> timedelta:
        return timedelta(hours=hour)

    rows = [
        # 0: a past, and four decisions on the day: two known, two hidden.
        (uid(0), uid(0), "like", MORNING - DAY),
        (uid(0), uid(1), "nope", MORNING + at(9)),
        (uid(0), uid(2), "like", MORNING + at(10)),
        (uid(0), uid(3), "like", MORNING + at(11)),
        (uid(0), uid(58), "like", MORNING + at(12)),
        # 1: no past, and two decisions of one moment, which cannot be torn apart.
        (uid(1), uid(1), "like", MORNING + at(9)),
        (uid(1), uid(2), "like", MORNING + at(9)),
        # 2: no past; the first of three decisions is known.
        (uid(2), uid(0), "like", MORNING + at(9)),
        (uid(2), uid(59), "like", MORNING + at(10)),
        (uid(2), uid(4), "like", MORNING + at(11)),
        # 3: nothing on the day. 4: nothing but the moment after it.
        (uid(3), uid(5), "like", MORNING - DAY),
        (uid(4), uid(5), "like", MORNING - DAY),
        (uid(4), uid(6), "like", MORNING + DAY),
        # 5: one decision, which is asked for.
        (uid(5), uid(5), "like", MORNING - DAY),
        (uid(5), uid(2), "like", MORNING),
    ]
    return world([{"id": uid(video)} for video in range(VIDEOS)], rows).history


def test_each_person_is_asked_for_the_second_half_of_their_day(history: History) -> None:
    """Who is asked, as of when, what is known of them, and which LIKEs are hidden, as laid out by hand."""
    task = next_day_task(history, np.arange(VIDEOS - 1, dtype=np.int32), BEGIN, END)
    assert task.users.tolist() == [0, 2, 5]
    assert task.moment.tolist() == [BEGIN + hours * 3_600_000_000 for hours in (11, 10, 0)]
    assert (task.state_end - history.user_offsets[task.users]).tolist() == [3, 1, 1]
    assert list(zip(task.targets.row.tolist(), task.targets.place.tolist(), strict=True)) == [
        (0, 3),
        (0, 58),
        (1, 4),
        (2, 2),
    ]
    assert task.left_out["no_candidate"] == 1


def test_values_are_those_counted_by_hand(history: History) -> None:
    """With one order of videos for all, and what each person had decided on taken out of it."""
    task = next_day_task(history, np.arange(VIDEOS - 1, dtype=np.int32), BEGIN, END)
    order_C = -torch.arange(VIDEOS - 1, dtype=torch.float32)
    values = day_values(history, task, lambda rows: order_C.repeat(len(rows), 1))
    # 0 sees 3, 4, 5, …: 3 is first, 58 is beyond fifty. 2 sees 1, 2, 3, 4: the fourth. 5 sees 0, 1, 2: the third.
    assert values[RECALL].tolist() == [0.5, 1, 1]
    expected = [1 / (1 + 1 / np.log2(3)), 1 / np.log2(5), 1 / np.log2(4)]
    np.testing.assert_allclose(values["ndcg@10"], expected)


def test_popularity_is_that_of_the_morning(history: History) -> None:
    """Video 5 has three LIKEs from before it and stands first, whatever is liked on the day itself."""
    task = next_day_task(history, np.arange(VIDEOS, dtype=np.int32), BEGIN, END)
    (scores,) = popular_score(history, BEGIN, task)(np.array([0]))
    assert scores.argsort(descending=True)[:3].tolist() == [5, 0, 1]


def test_a_day_on_which_nobody_decides_asks_nobody(history: History) -> None:
    """No user, no value, and no error."""
    task = next_day_task(history, np.arange(VIDEOS, dtype=np.int32), END + 1, END + 2)
    assert not len(task.users)
    assert not len(day_values(history, task, popular_score(history, END + 1, task))[RECALL])

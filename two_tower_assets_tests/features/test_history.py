from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from two_tower_assets.contract import decision_kind
from two_tower_assets.features import decision_columns
from two_tower_assets.features.history import LIKE, NOPE, OTHER, History
from two_tower_assets.features.times import microseconds
from two_tower_assets_tests.features.worlds import START, World, uid, world, worlds


def at(hours: float):
    return START + timedelta(hours=hours)


def test_arrays_by_hand():
    """Decisions are sorted by user and time; kinds, unknown videos and offsets are as given."""
    small = world(
        [{"id": uid(7)}, {"id": uid(5), "is_active": False, "product_released_at": at(-1)}],
        [
            (uid(2), uid(5), "like", at(0)),
            (uid(1), uid(7), "grid_nope", at(3)),
            (uid(1), uid(9), "swipe_like", at(1)),
            (uid(1), uid(5), "skip", at(2)),
        ],
    )
    history = small.history
    assert history.user_ids.to_list() == [uid(1), uid(2)]
    assert history.video_ids.tolist() == [uid(5), uid(7)]
    assert history.active.tolist() == [False, True]
    assert history.released_at[0] == microseconds(at(-1))
    assert history.user_offsets.tolist() == [0, 3, 4]
    assert history.video.tolist() == [-1, 0, 1, 0]
    assert history.kind.tolist() == [LIKE, OTHER, NOPE, LIKE]
    assert history.user.tolist() == [0, 0, 0, 1]
    assert history.examples().tolist() == [], "an unknown and an inactive video make no example"


def test_equal_moments_do_not_see_each_other():
    """Decisions of one user at one moment have the same past, and another user's moment does not matter."""
    videos = [{"id": uid(number)} for number in range(5)]
    rows = [(uid(1), uid(n), "like", at(h)) for n, h in enumerate([0, 1, 1, 2])] + [(uid(2), uid(0), "like", at(2))]
    history = world(videos, rows).history
    assert history.strictly_before.tolist() == [0, 1, 1, 3, 4]
    assert history.examples(before=microseconds(at(2))).tolist() == [0, 1, 2]


def test_without_decisions():
    """A world without decisions has no users and no examples."""
    history = world([{"id": uid(1)}], []).history
    assert len(history.user_ids) == len(history.examples()) == len(history.strictly_before) == 0
    assert history.prefix_at(np.array([], dtype=int), 0).tolist() == []


@given(worlds())
def test_pasts_are_counted_right(some: World):
    """For every user and moment the past ends after the decisions that are strictly earlier."""
    history = some.history
    rows = some.decisions.rows(named=True)
    assert [decision_kind(row["decision_type"]) for row in rows] == [
        {LIKE: "like", NOPE: "nope", OTHER: "other"}[kind] for kind in history.kind.tolist()
    ]
    moments = [START + timedelta(hours=hours) for hours in range(-1, 42, 3)] + [row["created_at"] for row in rows]
    for user, name in enumerate(history.user_ids.to_list()):
        mine = [row["created_at"] for row in rows if row["user_id"] == name]
        found = history.prefix_at(user, np.array([microseconds(moment) for moment in moments]))
        expected = [sum(time < moment for time in mine) for moment in moments]
        assert (found - history.user_offsets[user]).tolist() == expected
    np.testing.assert_array_equal(history.prefix_at(history.user, history.time), history.strictly_before)


@pytest.mark.parametrize("rows_at_once", [1, 3, 1 << 20])
def test_a_snapshot_is_read_block_by_block_to_the_same_arrays(
    rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever blocks end, within a user or a moment, and whatever kinds and unknown videos there are."""
    monkeypatch.setattr(decision_columns, "_ROWS", rows_at_once)
    kinds = ("like", "grid_nope", "skip", "swipe_like")
    rows = [(uid(n % 5), uid(n // 5 * 3), kinds[n % 4], at(n // 10)) for n in range(60)]
    place = world([{"id": uid(n), "is_active": n % 4 > 0} for n in range(30)], rows)
    read, made = History.from_snapshot(place.snapshot(tmp_path)), place.history
    assert (read.video < 0).any()
    for name, values in vars(made).items():
        assert np.array_equal(getattr(read, name), values), name
        assert getattr(read, name).dtype == values.dtype, name

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.contract import decision_kind
from two_tower_assets.features.decided_videos import DecidedVideos
from two_tower_assets.features.history import LIKE, NOPE
from two_tower_assets.features.reference import user_vector
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets_tests.features.worlds import (
    CUTOFF,
    START,
    World,
    busy_world,
    dense_worlds,
    naive_payload,
    space,
    uid,
    world,
)


def at(hours: float):
    return START + timedelta(hours=hours)


def test_bags_by_hand():
    """Liked and NOPEd videos fill bags of their own; other kinds, unknown videos and the moment itself do not."""
    some = world(
        [{"id": uid(number)} for number in range(5)],
        [
            (uid(9), uid(0), "like", at(0)),
            (uid(9), uid(1), "nope", at(1)),
            (uid(9), uid(2), "skip", at(1)),
            (uid(9), uid(7), "like", at(2)),
            (uid(9), uid(3), "grid_like", at(2)),
            (uid(9), uid(4), "swipe_nope", at(3)),
        ],
    )
    states = some.states(space(["a"], videos=[uid(3), uid(4), uid(0), uid(7)]))
    root = 0.5**0.5
    expected = [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [root, 0, root, 0, 0, 0, 0, 0],
    ]
    vectors = states.of_decisions(np.arange(6))
    assert vectors.shape == (6, 18)
    np.testing.assert_allclose(vectors[:, 10:], expected, rtol=1e-6)
    now = np.array([microseconds(at(4))])
    last = states.vectors(np.array([0]), some.history.prefix_at(np.array([0]), now), now)
    np.testing.assert_allclose(last[0, 10:], [root, 0, root, 0, 0, 1, 0, 0], rtol=1e-6)


def test_the_thousand_newest_count_and_ties_go_to_the_smaller_id():
    """With 1200 decisions of either kind the bags hold those that the payload names, at any moment."""
    some = busy_world()
    target = space(videos=[uid(number) for number in range(2400)])
    for moment in (CUTOFF, START + timedelta(minutes=180)):
        time = np.array([microseconds(moment)])
        vector = some.states(target).vectors(np.array([0]), some.history.prefix_at(np.array([0]), time), time)
        expected = user_vector(naive_payload(some, uid(1), moment), moment, target)
        np.testing.assert_allclose(vector[0], expected, rtol=0, atol=1e-5)
        assert np.count_nonzero(vector[0, 9:2409]) == np.count_nonzero(vector[0, 2409:]) <= 1000


@given(dense_worlds(), st.sampled_from([LIKE, NOPE]), st.integers(1, 4))
def test_any_number_of_newest(some: World, kind: int, newest: int):
    """However few count, they are the latest before the moment, those of one moment by ascending id."""
    history, target = some.history, space(videos=[uid(4), uid(9), uid(1), uid(0), uid(6), uid(2)])
    bag = DecidedVideos(history, kind, video_slots(history.video_ids, target), first_column=1, newest=newest)
    found = np.zeros((len(history.time), 8), dtype=np.float32)
    bag.write(history.user, history.strictly_before, found)
    word = {LIKE: "like", NOPE: "nope"}[kind]
    rows = some.decisions.rows(named=True)
    for row, vector in zip(rows, found, strict=True):
        past = [r for r in rows if r["user_id"] == row["user_id"] and r["created_at"] < row["created_at"]]
        chosen = [r for r in past if decision_kind(r["decision_type"]) == word]
        chosen.sort(key=lambda r: (-microseconds(r["created_at"]), r["video_id"]))
        kept = {r["video_id"] for r in chosen[:newest]} & set(some.videos["id"])
        counts = np.array([float(video in kept) for video in target.videos])
        np.testing.assert_allclose(vector[1:7], counts / (np.sqrt(counts.sum()) or 1), rtol=1e-6)
    assert not found[:, [0, 7]].any()

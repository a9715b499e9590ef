from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.contract import decision_kind
from two_tower_assets.features.video_vocabulary import video_slots, video_vocabulary
from two_tower_assets_tests.features.worlds import HYBRID, PLAIN, START, World, space, uid, world, worlds


def at(hours: float):
    return START + timedelta(hours=hours)


def liked(*pairs: tuple[int, int]) -> World:
    """Five videos, the last inactive, and LIKEs (user, video), an hour apart."""
    videos = [{"id": uid(number), "is_active": number < 4} for number in range(5)]
    return world(videos, [(uid(user), uid(video), "like", at(hour)) for hour, (user, video) in enumerate(pairs)])


SOME = liked((1, 3), (1, 2), (2, 2), (2, 1), (3, 4), (4, 4), (5, 4), (1, 9))


def test_order_is_by_likes_then_id():
    """The most liked come first, equally liked ones by id; inactive, unknown and unliked videos have no place."""
    assert video_vocabulary(SOME.history, HYBRID) == (uid(2), uid(1), uid(3))


def test_sizes_are_limited():
    """Videos with too few LIKEs go, then those beyond the size; a size of zero keeps none."""
    for changes, expected in (
        ({"min_video_freq": 2}, (uid(2),)),
        ({"max_video_vocab": 2}, (uid(2), uid(1))),
        ({"max_video_vocab": 0}, ()),
    ):
        assert video_vocabulary(SOME.history, HYBRID.model_copy(update=changes)) == expected


def test_content_has_no_vocabulary():
    """Without the preset nothing is kept, and the space has the base form."""
    assert video_vocabulary(SOME.history, PLAIN) == ()
    assert (SOME.space(PLAIN).user_dim, SOME.space(PLAIN).item_dim) == (9, 3)
    assert (SOME.space(HYBRID).user_dim, SOME.space(HYBRID).item_dim) == (15, 3)


def test_later_likes_are_not_known():
    """Before a moment only LIKEs strictly before it count."""
    assert video_vocabulary(SOME.history, HYBRID, before=at(2)) == (uid(2), uid(3))
    assert SOME.space(HYBRID, before=at(2)).videos == (uid(2), uid(3))
    assert video_vocabulary(SOME.history, HYBRID, before=START) == ()


@given(worlds(), st.integers(0, 4), st.integers(1, 2), st.integers(0, 41))
def test_vocabulary_is_that_of_a_plain_count(some: World, size: int, least: int, hours: int):
    """For any world the vocabulary is a counter's most common active videos."""
    settings = HYBRID.model_copy(update={"max_video_vocab": size, "min_video_freq": least})
    active = {video["id"] for video in some.videos.iter_rows(named=True) if video["is_active"]}
    counts = Counter(
        row["video_id"]
        for row in some.until(at(hours)).decisions.iter_rows(named=True)
        if decision_kind(row["decision_type"]) == "like" and row["video_id"] in active
    )
    ranked = sorted((video for video in counts if counts[video] >= least), key=lambda video: (-counts[video], video))
    assert video_vocabulary(some.history, settings, before=at(hours)) == tuple(ranked[:size])


def test_slots_are_places_in_the_vocabulary():
    """Each id has its place, −1 when it has none; without a vocabulary nobody has one."""
    ids = np.array([uid(5), uid(1), uid(2)])
    slots = video_slots(ids, space(videos=[uid(2), uid(5)]))
    assert slots.tolist() == [1, -1, 0]
    assert slots.dtype == np.int32
    assert video_slots(ids, space()).tolist() == [-1, -1, -1]
    assert video_slots(ids[:0], space()).shape == (0,)

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given

from two_tower_assets.contract import ITEM_NUMERIC, USER_NUMERIC
from two_tower_assets.features.catalogue import catalogue_before
from two_tower_assets.features.numerics import measure_standards
from two_tower_assets.features.reference import item_numeric_values, user_numeric_values
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import FeatureSettings
from two_tower_assets_tests.features.worlds import (
    CUTOFF,
    START,
    World,
    naive_item,
    naive_payload,
    uid,
    world,
    worlds,
)


def at(hours: float):
    return START + timedelta(hours=hours)


@given(worlds())
def test_scales_are_those_of_the_examples(some: World):
    """User scales are over the states just before each LIKE of an active video, item scales over active videos."""
    target, history = some.space(), some.history
    examples = [(history.user_ids[int(history.user[d])], moment_of(history.time[d])) for d in history.examples()]
    users = [user_numeric_values(naive_payload(some, user, moment), moment) for user, moment in examples]
    active = [video for video in some.videos.iter_rows(named=True) if video["is_active"]]
    items = [item_numeric_values(naive_item(video), target.reference_released_at) for video in active]
    for names, scales, rows in (
        (USER_NUMERIC, target.user_numeric, users),
        (ITEM_NUMERIC, target.item_numeric, items),
    ):
        for name in names:
            values = np.array([row[name] for row in rows] or [0.0])
            assert scales[name].mean == pytest.approx(values.mean(), abs=1e-9)
            assert scales[name].std == pytest.approx(values.std() or 1.0, rel=1e-6)


def test_a_constant_feature_has_deviation_one():
    """A column whose spread is only rounding, and one without rows, are divided by 1."""
    tenths = np.array([[0.1 + 0.2, 5.0], [0.3, 5.0], [0.3, 5.0]])
    scales = measure_standards(("a", "b"), lambda: [tenths[:2], tenths[2:]])
    assert [scale.std for scale in scales.values()] == [1.0, 1.0]
    assert scales["b"].mean == 5.0
    nothing = measure_standards(("a",), lambda: [np.empty((0, 1))])["a"]
    assert (nothing.mean, nothing.std) == (0.0, 1.0)


def test_standards_do_not_depend_on_blocks():
    """Blocks of any size give the mean and the population deviation of the whole."""
    values = np.random.default_rng(0).normal(3, 2, (1000, 1))
    for size in (1000, 7):
        scale = measure_standards(("a",), lambda size=size: np.split(values, range(size, 1000, size)))["a"]
        assert scale.mean == pytest.approx(values.mean())
        assert scale.std == pytest.approx(values.std())


def test_inactive_videos_give_no_names():
    """Vocabularies count the active catalogue alone; the reference date is the newest of all videos."""
    some = world(
        [
            {"id": uid(1), "tags": ["a"], "product_released_at": at(0)},
            {"id": uid(2), "tags": ["b"], "is_active": False, "product_released_at": at(5)},
        ],
        [],
    )
    target = some.space()
    assert target.tags == ("a",)
    assert target.reference_released_at == at(5)


def test_before_a_moment_only_its_past_counts():
    """Names, scales and the reference come from videos that existed and decisions that were made by then."""
    some = world(
        [
            {"id": uid(1), "tags": ["old"], "price": 1.0, "product_released_at": at(1)},
            {"id": uid(2), "tags": ["new"], "price": 100.0, "product_released_at": at(30)},
        ],
        [
            (uid(1), uid(1), "like", at(2)),
            (uid(2), uid(1), "like", at(3)),
            (uid(2), uid(2), "like", at(40)),
        ],
        [(uid(2), at(-21))],
    )
    target = some.space(before=at(10))
    assert target.tags == ("old",)
    assert target.reference_released_at == at(1)
    assert target.item_numeric["price"].mean == 1.0
    assert target.user_numeric["like_count"].mean == 0.0
    assert target.user_numeric["account_age_days"].mean == 0.5
    assert target == some.until(at(10)).space(before=at(10))
    assert some.space().tags == ("new", "old")


def test_which_videos_existed():
    """Later release or creation hides a video, unless it was decided on; a row made at the cut-off says nothing."""
    some = world(
        [
            {"id": uid(1)},
            {"id": uid(2), "created_at": at(9), "product_released_at": at(9)},
            {"id": uid(3), "created_at": at(10)},
            {"id": uid(4), "product_released_at": at(10)},
            {"id": uid(5), "product_released_at": at(10)},
            {"id": uid(6), "created_at": CUTOFF, "product_released_at": at(9)},
        ],
        [(uid(1), uid(5), "nope", at(9)), (uid(1), uid(4), "like", at(10))],
    )
    existing = catalogue_before(some.videos, some.history, cutoff=CUTOFF, before=at(10))
    assert existing["id"].to_list() == [uid(1), uid(2), uid(5), uid(6)]
    everything = catalogue_before(some.videos, some.history, cutoff=CUTOFF, before=None)
    assert everything.height == 6


def test_an_empty_world_has_a_space():
    """Without videos and decisions the space has the numerics alone and scales of 1."""
    target = world([], []).space(FeatureSettings())
    assert (target.user_dim, target.item_dim) == (9, 3)
    assert {scale.std for scale in (*target.user_numeric.values(), *target.item_numeric.values())} == {1.0}

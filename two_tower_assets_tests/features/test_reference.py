from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from two_tower_assets.contract import DecisionStats, ItemPayload, PriceStats, ProfilePayload, UserPayload
from two_tower_assets.features.reference import item_vector, user_vector
from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets_tests.features.worlds import UNIT_ITEMS, UNIT_USERS, space

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def test_user_vector_by_hand():
    """Every part of a user vector stands in its place with the value of the contract's formula."""
    payload = UserPayload(
        user_id="u",
        profile=ProfilePayload(created_at=NOW - timedelta(days=10, hours=12)),
        decision_stats=DecisionStats(
            like_count=3,
            nope_count=1,
            decision_count=5,
            recent_like_at=NOW - timedelta(hours=6),
            average_like_hour=11.5,
        ),
        price_stats=PriceStats(mean=200.0, median=150.0),
        tags=("b", "a", "b", "b", "b", "unknown"),
        performers=("p",),
    )
    vector = user_vector(payload, NOW, space(["a", "b"], ["p", "q"]))
    bags = [1 / 17**0.5, 4 / 17**0.5, 1.0, 0.0]
    np.testing.assert_allclose(vector, [10.5, 200, 150, 0.6, 3, 1, 5, 0.25, 0.5, *bags], rtol=1e-7)
    assert vector.dtype == np.float32


def test_videos_come_last_and_apart():
    """Liked and NOPEd ids fill a bag each over one vocabulary; unknown ids are ignored, an empty list stays zeros."""
    target = space(["a"], videos=["v", "w", "x"])
    payload = UserPayload(user_id="u", liked_video_ids=("x", "unknown", "v"), noped_video_ids=("w",))
    root = 0.5**0.5
    np.testing.assert_allclose(user_vector(payload, NOW, target)[9:], [0, root, 0, root, 0, 1, 0], rtol=1e-7)
    assert user_vector(UserPayload(user_id="u"), NOW, target)[9:].tolist() == [0] * 7
    assert item_vector(ItemPayload(video_id="v"), target).shape == (4,)


def test_user_without_anything():
    """A user without profile and decisions has ratio one half, the hour of noon and zeros."""
    vector = user_vector(UserPayload(user_id="u"), NOW, space(["a"], ["p"]))
    np.testing.assert_allclose(vector, [0, 0, 0, 0.5, 0, 0, 0, 0, 12 / 23, 0, 0], rtol=1e-7)


def test_values_out_of_range_are_clipped():
    """A ratio above one and an hour above 23 are clipped; a profile made later has a negative age."""
    stats = DecisionStats(like_count=4, decision_count=2, average_like_hour=99.0)
    payload = UserPayload(
        user_id="u", profile=ProfilePayload(created_at=NOW + timedelta(days=2)), decision_stats=stats
    )
    vector = user_vector(payload, NOW, space())
    assert vector[[0, 3, 8]].tolist() == [-2.0, 1.0, 1.0]


def test_numerics_are_standardised():
    """Numerics become (x − mean) / std; the hour of day does not."""
    scales = {name: Standard(mean=1.0, std=2.0) for name in UNIT_USERS}
    vector = user_vector(UserPayload(user_id="u"), NOW, FeatureSpace((), (), scales, UNIT_ITEMS, None))
    np.testing.assert_allclose(vector, [-0.5, -0.5, -0.5, -0.25, -0.5, -0.5, -0.5, -0.5, 12 / 23], rtol=1e-7)


def test_item_vector_by_hand():
    """Recency counts back from the reference date; unknown names are ignored; nulls are 0."""
    payload = ItemPayload(
        video_id="v", price=980.0, product_released_at=NOW - timedelta(days=3), tags=("a", "b", "x"), performers=()
    )
    vector = item_vector(payload, space(["a", "b"], ["p"], NOW))
    np.testing.assert_allclose(vector, [980, 3, 0, 0.5**0.5, 0.5**0.5, 0], rtol=1e-7)
    assert item_vector(payload, space())[1] == 0, "no reference, no recency"

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from two_tower_assets.errors import FeatureError
from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets_tests.features.worlds import UNIT_ITEMS, UNIT_USERS, space


def test_dimensions_of_216_tags():
    """With 216 tags and no performers the vectors have 225 and 219 columns."""
    wide = space([f"tag {number}" for number in range(216)])
    assert (wide.user_dim, wide.item_dim) == (225, 219)


def test_json_round_trip():
    """Text gives the same space back, exotic names, odd floats and microseconds included."""
    scales = {name: Standard(mean=0.1 + 0.2, std=1e-17) for name in UNIT_USERS}
    moment = datetime(2024, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)
    for reference in (moment, None):
        one = FeatureSpace(("日本語", '"quoted"', "🎬"), ("p\\q",), scales, UNIT_ITEMS, reference)
        assert FeatureSpace.from_json(one.to_json()) == one


def test_videos_widen_users_alone():
    """Two columns a video are added to a user and none to an item."""
    wide = space(["a", "b"], ["p"], videos=["v", "w", "x"])
    assert (wide.user_dim, wide.item_dim, wide.bag_dim) == (9 + 3 + 6, 6, 3)
    assert list(wide.user_bags) == ["tags", "performers", "liked_video_ids", "noped_video_ids"]
    assert FeatureSpace.from_json(wide.to_json()) == wide


def test_a_space_without_videos_is_written_as_before():
    """The key appears only with videos, so text from before it existed is read, and written the same."""
    text = space(["a"]).to_json()
    assert list(json.loads(text)) == ["tags", "performers", "user_numeric", "item_numeric", "reference_released_at"]
    assert FeatureSpace.from_json(text).videos == ()


def test_other_text_is_refused():
    """What is not a space says so and how to get one."""
    for text in ("", "[]", "{}", '{"reference_released_at": 3}'):
        with pytest.raises(FeatureError, match="not a feature space"):
            FeatureSpace.from_json(text)


def test_scales_keep_the_contract_order():
    """Scales in another order would be applied to the wrong column and are refused."""
    turned = dict(reversed(UNIT_USERS.items()))
    with pytest.raises(FeatureError, match="in this order"):
        FeatureSpace((), (), turned, UNIT_ITEMS, None)

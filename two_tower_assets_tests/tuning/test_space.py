"""The space as the settings' annotations say it."""

from __future__ import annotations

import math

import pytest

from two_tower_assets.settings import ModelSettings, Settings, TrainingSettings, parse_settings
from two_tower_assets.settings.search import OneOf
from two_tower_assets.tuning.space import at_point, current_point, search_space, value_of

CONTENT, HYBRID = Settings(), parse_settings({"features": {"preset": "hybrid"}}, where="test")
KEYS = [
    "model.heads",
    "model.hidden",
    "model.dropout",
    "training.schedules",
    "training.batch_size",
    "training.learning_rate",
    "training.weight_decay",
    "training.catalogue_negatives",
    "training.logq",
    "training.user_power",
    "training.initial_temperature",
    "training.future_share",
    "training.half_life_days",
]


def test_the_space_is_what_the_settings_say() -> None:
    """Each annotated setting once, in the settings' order; those of the hybrid preset under it alone."""
    assert [dimension.key for dimension in search_space(CONTENT)] == KEYS
    assert [dimension.key for dimension in search_space(HYBRID)] == [
        *KEYS[:3],
        "model.video_size",
        "model.video_share",
        "model.bag_dropout",
        *KEYS[3:],
    ]


@pytest.mark.parametrize("settings", [CONTENT, HYBRID], ids=["content", "hybrid"])
def test_every_end_of_the_space_is_allowed(settings: Settings) -> None:
    """Both ends of each range and each option pass the validation of a settings file, and are found there again."""
    space = search_space(settings)
    for dimension in space:
        searched = dimension.searched
        options = searched.options if isinstance(searched, OneOf) else (searched.low, searched.high)
        for option in options:
            kept = dimension.keep((option,) if dimension.is_list and not isinstance(searched, OneOf) else option)
            assert kept is not None, (dimension.key, option)
            found = at_point(settings, space, {dimension.key: kept})
            assert dimension.keep(value_of(found, dimension.key)) == kept, dimension.key


def test_a_drawn_number_is_one_that_a_person_can_write() -> None:
    """Three digits are left, and what is measured is exactly what the file would hold."""
    point = {"training.learning_rate": 0.00123456, "model.hidden": "[256, 256]", "training.schedules": 421}
    found = at_point(CONTENT, search_space(CONTENT), point)
    assert found.training.learning_rate == 0.00123
    assert found.model.hidden == (256, 256)
    assert found.training.schedules == (421,)


def test_the_current_settings_are_a_point_as_far_as_they_lie_in_the_space() -> None:
    """Of several schedules the longest is meant; a value outside of its range is left to the draw."""
    point = current_point(search_space(CONTENT), CONTENT)
    assert set(point) == set(KEYS)
    assert (point["training.schedules"], point["model.hidden"]) == (600, "[256]")
    odd = CONTENT.model_copy(
        update={"model": ModelSettings(hidden=(17,)), "training": TrainingSettings(learning_rate=0.5)}
    )
    assert set(KEYS) - set(current_point(search_space(odd), odd)) == {"model.hidden", "training.learning_rate"}


def test_what_recall_cannot_judge_is_not_searched() -> None:
    """The taste head and NOPEs pay in what is liked; a search for recall would switch them off."""
    assert not {"training.taste_loss", "training.nope_weight", "training.negatives"} & set(KEYS)
    assert math.isclose(CONTENT.training.taste_loss, 1.0)

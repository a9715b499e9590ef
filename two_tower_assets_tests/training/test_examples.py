from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import TrainingError
from two_tower_assets.features.times import microseconds
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.training.examples import Examples, find_examples
from two_tower_assets_tests.features.worlds import START, uid, world


def hours(number: int) -> int:
    return microseconds(START + timedelta(hours=number))


def test_examples_are_likes_of_known_active_videos() -> None:
    """NOPEs, other decisions, unknown and inactive videos are none; surfaces' prefixes count."""
    place = world(
        [{"id": uid(1)}, {"id": uid(2)}, {"id": uid(3), "is_active": False}],
        [
            (uid(0), uid(1), "swipe_like", START),
            (uid(0), uid(2), "nope", START + timedelta(hours=1)),
            (uid(0), uid(3), "like", START + timedelta(hours=2)),
            (uid(0), uid(9), "like", START + timedelta(hours=3)),
            (uid(5), uid(2), "like", START + timedelta(hours=4)),
        ],
    )
    examples = find_examples(place.history, EvaluationSettings())
    assert place.history.time[examples.decision].tolist() == [hours(0), hours(4)]
    assert place.history.user[examples.decision].tolist() == [0, 1]
    assert len(examples.before(place.history, hours(4))) == 1


def test_the_split_cuts_at_quantiles_of_all_decision_times(tmp_path: Path) -> None:
    """Of ten decisions an hour apart the ninth begins validation at 0.8, the tenth the test at 0.9; files keep it."""
    rows = [(uid(0), uid(video), "nope", START + timedelta(hours=video)) for video in range(10)]
    place = world([{"id": uid(video)} for video in range(10)], rows)
    examples = find_examples(place.history, EvaluationSettings())
    assert vars(examples.split) == {"validation_from": hours(8), "test_from": hours(9), "end": hours(9) + 1}
    examples.save(tmp_path / "examples.safetensors")
    read = Examples.load(tmp_path / "examples.safetensors")
    assert read.split == examples.split
    assert np.array_equal(read.decision, examples.decision)


def test_no_decisions_are_an_error_that_names_the_table() -> None:
    """An empty table cannot be split in time."""
    with pytest.raises(TrainingError, match="user_video_decisions"):
        find_examples(world([{"id": uid(0)}], []).history, EvaluationSettings())

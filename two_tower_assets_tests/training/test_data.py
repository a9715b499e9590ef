from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.training.data import training_data
from two_tower_assets.training.examples import find_examples
from two_tower_assets_tests.features.worlds import HYBRID, START, uid, world


def test_slots_follow_the_vocabulary_known_before_the_moment(tmp_path: Path) -> None:
    """Each video has its place in the space's vocabulary, and those first liked later have none."""
    place = world(
        [{"id": uid(video)} for video in range(4)],
        [
            (uid(0), uid(2), "like", START),
            (uid(1), uid(2), "like", START),
            (uid(0), uid(1), "like", START),
            (uid(1), uid(3), "like", START + timedelta(hours=2)),
        ],
    )
    before = START + timedelta(hours=1)
    examples = find_examples(place.history, EvaluationSettings())
    space = place.space(HYBRID, before=before)
    data = training_data(place.snapshot(tmp_path), place.history, examples, space, before=before)
    assert data.slot.tolist() == [-1, 1, 0, -1]
    assert data.states.space.user_dim == 9 + 2 * 2
    assert data.items.width == data.states.space.item_dim == 3

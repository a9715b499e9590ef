from __future__ import annotations

from two_tower_assets.defs.nightly.recipe import differences, replay_settings
from two_tower_assets.settings import FeatureSettings, GateSettings, Settings, TrainingSettings


def test_a_short_recipe_leaves_protocol_gate_and_release_as_they_are_set() -> None:
    """Only towers and training differ, and each difference is said."""
    given = Settings(gate=GateSettings(min_users=7), training=TrainingSettings(seed=3))
    used = replay_settings(given, full=False)
    assert {line.partition(".")[0] for line in differences(used, given)} == {"model", "training"}
    assert "model.heads = 1 instead of 2" in list(differences(used, given))
    assert used.training.seed == 3


def test_a_full_recipe_is_the_one_that_is_set() -> None:
    """But for features that would be read from a project."""
    assert replay_settings(Settings(), full=True) == Settings()
    given = Settings(features=FeatureSettings(feature_source="rest"))
    assert list(differences(replay_settings(given, full=True), given)) == [
        "features.feature_source = rpc instead of rest"
    ]

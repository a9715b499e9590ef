from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from two_tower_assets.errors import ArtifactError
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.checkpoint import CheckpointFacts, load_checkpoint, save_checkpoint
from two_tower_assets.training.towers import TwoTower


def facts(**changes: object) -> CheckpointFacts:
    values = {
        "user_dim": 12,
        "item_dim": 6,
        "model": ModelSettings(hidden=(8,)),
        "training": TrainingSettings(),
        "steps": 7,
        "temperature": 0.07,
        "fingerprint": "f" * 64,
        "model_version": None,
        "trained_at": datetime(2025, 1, 1, tzinfo=UTC),
        "commit": "0" * 40,
    }
    return CheckpointFacts.model_validate(values | changes)


def test_weights_and_facts_come_back_as_they_were_without_drawing_random_numbers(tmp_path: Path) -> None:
    """Loading gives equal tensors and facts, in evaluation mode, and leaves torch's generator alone."""
    model = TwoTower(12, 6, ModelSettings(hidden=(8,)))
    save_checkpoint(tmp_path / "towers.safetensors", model, facts())
    state = torch.get_rng_state()
    loaded, read = load_checkpoint(tmp_path / "towers.safetensors")
    assert torch.equal(torch.get_rng_state(), state)
    assert read == facts()
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_a_file_that_is_no_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    """Missing, garbage, without facts, or with tensors that do not fit: each is one error naming the file."""
    path = tmp_path / "towers.safetensors"
    for make in (
        lambda: None,
        lambda: path.write_bytes(b"garbage"),
        lambda: save_file({"x": torch.zeros(1)}, path),
        lambda: save_checkpoint(path, TwoTower(12, 6, ModelSettings(hidden=(8,))), facts(user_dim=13)),
    ):
        make()
        with pytest.raises(ArtifactError, match=r"towers\.safetensors"):
            load_checkpoint(path)

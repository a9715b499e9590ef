"""Both towers' weights with everything needed to rebuild them, in one safetensors file.

The facts are JSON in the file's header. What does not live here: feature space, metrics and other artifacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import replacing
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.popularity import PopularityScale
from two_tower_assets.training.towers import TwoTower

_HEADER_KEY: Final = "facts"
_REMEDY: Final = "Materialize training/checkpoint again."


class CheckpointFacts(BaseModel):
    """What a checkpoint says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    user_dim: int
    """Width of `user_features`."""
    item_dim: int
    """Width of `item_features`."""
    videos: int = 0
    """Size of the vocabulary of videos; 0 under the preset `content`."""
    model: ModelSettings
    training: TrainingSettings
    steps: int
    """Optimiser steps taken up to these weights."""
    temperature: float
    """Softmax temperature at the end, the mean of the retrieval heads."""
    popularity: PopularityScale | None = None
    """Of the data that a shipped model holds, so that newer videos can be placed; null in one only evaluated."""
    taste_weight: float = 0.0
    """How often the log-odds of a LIKE are added to the log-probability of retrieval."""
    fingerprint: str
    """Hash of everything the weights were made from: data, settings and code."""
    model_version: str | None
    """The version these weights are shipped under; null for a model that is only evaluated."""
    trained_at: datetime
    commit: str
    """Commit of the code that fitted them, 40 hex digits."""


def save_checkpoint(path: Path, model: TwoTower, facts: CheckpointFacts) -> None:
    """Write weights and facts atomically."""
    tensors = {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={_HEADER_KEY: facts.model_dump_json()})


def read_facts(path: Path) -> CheckpointFacts:
    """Read the facts from the file's header, without the weights.

    Raises:
        ArtifactError: the file is missing or is not a checkpoint.
    """
    with _opened(path) as file:
        return _facts(file)


def load_checkpoint(path: Path) -> tuple[TwoTower, CheckpointFacts]:
    """Rebuild the towers in evaluation mode on the CPU; no random numbers are drawn.

    Raises:
        ArtifactError: the file is missing, is not a checkpoint, or its tensors do not fit its facts.
    """
    with _opened(path) as file:
        facts = _facts(file)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no dictionary
    with torch.device("meta"):
        model = TwoTower(facts.user_dim, facts.item_dim, facts.model, videos=facts.videos)
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise ArtifactError(
            f"The checkpoint's tensors do not fit its facts: {error}", where=str(path), remedy=_REMEDY
        ) from None
    return model.eval(), facts


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise ArtifactError("The checkpoint does not exist", where=str(path), remedy=_REMEDY) from None
    except (SafetensorError, ValidationError) as error:
        raise ArtifactError(f"The file is not a checkpoint: {error}", where=str(path), remedy=_REMEDY) from None


def _facts(file: Any) -> CheckpointFacts:
    return CheckpointFacts.model_validate_json((file.metadata() or {}).get(_HEADER_KEY, "{}"))

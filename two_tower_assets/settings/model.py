"""Table `[model]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Share, Strict
from two_tower_assets.settings.search import Between, OneOf


class ModelSettings(Strict):
    """Shape of the two towers; see `training.towers`."""

    heads: Annotated[Positive, OneOf((1, 2, 3, 4))] = 2
    """Content heads that are fitted side by side, each by its own loss."""
    hidden: Annotated[tuple[Positive, ...], OneOf(((128,), (256,), (512,), (256, 256)))] = (256,)
    """Width of each hidden layer of a head, the same in both towers."""
    dropout: Annotated[float, Field(ge=0, lt=1), Between(0.0, 0.5)] = 0.1
    """Dropout after each hidden layer while training."""
    taste_size: Annotated[int, Field(ge=1, le=128)] = 32
    """How many of the 256 numbers say LIKE or NOPE; the rest say what is looked for."""
    video_size: Annotated[int, Field(ge=1, le=128), Between(32, 128, preset="hybrid")] = 64
    """Preset `hybrid`: how many of the 256 numbers come from the ids of videos."""
    video_share: Annotated[Share, Between(0.0, 0.75, preset="hybrid")] = 0.25
    """Preset `hybrid`: share of the head of videos in the mean retrieval logit."""
    bag_dropout: Annotated[float, Field(ge=0, lt=1), Between(0.0, 0.8, preset="hybrid")] = 0.5
    """Preset `hybrid`: share of the liked and NOPEd videos that are hidden from a user's head while training."""
    video_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Preset `hybrid`: how often a video stands for an unknown one while training, so that new ones keep their
    quality."""

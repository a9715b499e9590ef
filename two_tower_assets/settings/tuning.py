"""Table `[tuning]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Strict


class TuningSettings(Strict):
    """How settings are searched by the job `tune`; none of it changes what a release is."""

    trials: Positive = 40
    """Points of a study, those of earlier runs included."""
    minutes: Annotated[float, Field(gt=0)] = 60.0
    """After so long no further point is begun; those under way are finished, and the finals come after."""
    workers: Positive = 1
    """Points side by side, each in a process of its own; the cores are divided among them."""
    users: Positive = 2000
    """Points are measured on a fixed sample of so many known users of the validation window."""
    finalists: Positive = 3
    """Best points that are fitted again."""
    seeds: Positive = 3
    """Fits of each finalist and of the current settings, by other seeds than the search's."""
    seed: int = 0
    """Seed of the draws."""

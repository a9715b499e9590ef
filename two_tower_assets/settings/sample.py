"""Table `[sample]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Strict


class SampleSettings(Strict):
    """The generated catalogue: size and seed. The same values give the same rows on every machine."""

    seed: int = 7
    """Seed of the whole catalogue."""
    users: Positive = 1200
    """Number of users, new ones without decisions included."""
    videos: Positive = 1500
    """Number of videos, new and inactive ones included."""
    decisions_per_user: Annotated[float, Field(gt=0)] = 40.0
    """Mean number of decisions of a user; the distribution has a long tail."""

"""What a comparison of two models comes to, as it is printed and kept. How it is measured is in `compare`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Group(_Record):
    """Some of the users."""

    name: str
    users: int
    before: Mapping[str, Interval]
    """Metric to its mean over the users, by the one model."""
    after: Mapping[str, Interval]
    """The same by the other."""
    difference: Mapping[str, Interval]
    """After minus before, paired by user."""
    better: float
    """Share of the users for whom the other model finds more of what they liked among 50."""
    worse: float
    """Share for whom it finds fewer."""


class ChangedList(_Record):
    """What one person would have been shown, best first, as ids of videos."""

    user_id: str
    liked: tuple[str, ...]
    """Of what they liked afterwards, what either list holds."""
    before: tuple[str, ...]
    after: tuple[str, ...]


class Comparison(_Record):
    """Two versions on decisions that neither has learned from."""

    before: str
    """Model version."""
    after: str
    begin: datetime
    """The later of both versions' cutoffs."""
    end: datetime
    likes: int
    """LIKEs that were to be found."""
    groups: tuple[Group, ...]
    """Everybody, then light and heavy users and those of the commonest tastes."""
    same: Interval
    """Share of a person's first ten videos that both lists hold."""
    changed: tuple[ChangedList, ...]
    """Lists that changed most, of people for whom one list holds a video that they liked and the other does not."""
    titles: Mapping[str, str] = {}
    """Of the videos in `changed`, where they are known."""

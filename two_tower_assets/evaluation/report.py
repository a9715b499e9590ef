"""What an evaluation says, as one JSON document, and the verdict that the gate reads from it.

How the numbers come about is in `evaluate`; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from two_tower_assets.settings import GateSettings

MODEL: Final = "two_tower"
MOST_POPULAR: Final = "most_popular"
GATE_K: Final = 200
"""List length of the recall that the gate compares; always measured."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Window(_Part):
    """The test window."""

    start: datetime
    """The cut-off: users, candidates and popularity are as of just before it."""
    end: datetime
    """Just after the last decision."""


class Interval(_Part):
    """A mean over users with its 95 % paired bootstrap interval."""

    mean: float
    low: float
    high: float


class Group(_Part):
    """Figures of one group of users."""

    users: int
    targets: int
    """LIKEs in the window that could have been recommended."""
    metrics: Mapping[str, Mapping[str, float]]
    """Method to metric (`recall@200`, `ndcg@10`, `coverage@10`, …) to mean over users."""


class Report(_Part):
    """How well the fitted towers retrieve what users liked later, beside what people would use instead."""

    window: Window
    candidates: int
    """Videos ranked for every user."""
    left_out: Mapping[str, int]
    """LIKEs in the window that no method could have recommended, by reason."""
    known_users: Group
    """Users who had decided something before the cut-off; the verdict is about them."""
    new_users: Group
    """Users without any decision before the cut-off."""
    recall_gain: Interval | None
    """recall@200 of the towers minus most-popular's, over known users; null when there are none."""
    fitted_steps: int
    """Optimiser steps of the evaluated model."""

    @property
    def unmeasured(self) -> str | None:
        """Why nothing could be measured, or None."""
        if self.known_users.users:
            return None
        if self.new_users.users:
            return "every user with a LIKE in the test window is new there"
        return "the test window has no LIKE of a video that was a candidate at its start"

    def metric(self, method: str, name: str) -> float:
        """One figure of the known users."""
        return self.known_users.metrics[method][name]


def loses_to_popularity(report: Report, settings: GateSettings) -> str | None:
    """Say why no artifacts may be made from the model, or return None when they may.

    A model that could not be measured, or that found nothing, is refused too.
    """
    if report.unmeasured:
        return (
            f"Nothing could be measured: {report.unmeasured}. Collect more decisions, "
            "or set evaluation.test_quantile lower so that the window is longer"
        )
    name = f"recall@{GATE_K}"
    reached, popular = report.metric(MODEL, name), report.metric(MOST_POPULAR, name)
    needed = settings.min_recall_ratio * popular
    if reached <= 0:
        return f"{name} is 0 for {report.known_users.users} users: no LIKE of the test window was found"
    if reached < needed:
        return (
            f"{name} is {reached:.4f}, below {needed:.4f} "
            f"({settings.min_recall_ratio:g} × most popular's {popular:.4f})"
        )
    return None

"""What tuning came to, as it is printed, drawn and kept. How it comes about is in the other modules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.paired.records import Group

State = Literal["complete", "pruned", "refused", "died"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TrialRecord(_Record):
    """One point that was measured."""

    number: int
    """In the order in which points were drawn; a point whose worker died is drawn again."""
    state: State
    """`pruned`: ended early, since it was worse than half of the others; `refused`: it could not be fitted; `died`:
    every worker that was given it died."""
    value: float | None
    """recall@50 at the end, of those that are complete."""
    looks: Mapping[int, float]
    """Fifths of the schedule that were done, and recall@50 then."""
    point: Mapping[str, Any]
    """`table.key` and the value that the settings file would hold."""
    seconds: float | None
    note: str | None = None
    """Why it was refused or died."""


class Finalist(_Record):
    """One of the best points, or the current settings, fitted by several seeds."""

    trial: int | None
    """None: the current settings."""
    values: tuple[float, ...]
    """recall@50 on the validation window, one a seed."""

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return fmean(self.values)


class Change(_Record):
    """One setting that the winner has otherwise."""

    key: str
    """`table.key`."""
    before: Any
    after: Any


class Contest(_Record):
    """The winner beside the current settings on the test window, which nothing before has seen."""

    begin: datetime
    end: datetime
    seeds: int
    """Fits of each, over which every user's figures are averaged."""
    groups: tuple[Group, ...]
    """Known users, then light and heavy ones; `before` are the current settings."""
    by_seed: tuple[float, ...]
    """Difference in recall@50, one a seed."""


class Outcome(_Record):
    """Everything that a run of the job `tune` leaves behind."""

    study: str
    """Its name in Postgres."""
    validation_begin: datetime
    test_begin: datetime
    users: int
    """Known users of the validation window that trials were measured on."""
    trials: tuple[TrialRecord, ...]
    importances: Mapping[str, float]
    """By `table.key`, together 1, the largest first; empty where too few trials are complete."""
    finalists: tuple[Finalist, ...]
    """The best mean first."""
    changes: tuple[Change, ...]
    """Empty when the current settings stay."""
    contest: Contest | None
    """None when the current settings stay."""

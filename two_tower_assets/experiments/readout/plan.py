"""What was agreed before an experiment began, as the readout reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from two_tower_assets.experiments.sequences import FEWEST_USERS

Kind = Literal["arms", "interleaving"]
State = Literal["draft", "running", "stopped"]

FALSE_ALARMS: Final = 0.05
"""Of a whole experiment, however many arms it has and however often it is looked at."""


@dataclass(frozen=True)
class PlannedArm:
    """One arm."""

    name: str
    share: float
    """Of the users, in (0, 1]; of all arms together 1."""


@dataclass(frozen=True)
class Plan:
    """An experiment as it was planned."""

    name: str
    kind: Kind
    state: State
    primary: str
    guardrails: tuple[str, ...]
    attribution: timedelta
    """How long after they entered users' decisions count, and how long after a list those on its videos."""
    before: timedelta
    """How long before they entered users' decisions are compared with."""
    planned_users: int
    """In all arms."""
    arms: tuple[PlannedArm, ...]
    """The control first."""
    started_at: datetime | None
    stopped_at: datetime | None

    @property
    def control(self) -> PlannedArm:
        """What the others are compared with."""
        return self.arms[0]

    @property
    def confidence(self) -> float:
        """Of each comparison, so that `FALSE_ALARMS` holds for all arms together (Bonferroni)."""
        return 1 - FALSE_ALARMS / max(1, len(self.arms) - 1)

    def planned_of(self, arm: PlannedArm) -> int:
        """Users that are planned in an arm and the control together."""
        if self.kind == "interleaving":
            return self.planned_users
        return max(FEWEST_USERS, round(self.planned_users * (self.control.share + arm.share)))

    def until(self, at: datetime) -> datetime:
        """End of what counts at a look: the look, or the stop before it."""
        return at if self.stopped_at is None else min(at, self.stopped_at)

"""What was agreed before an experiment began, as the readout reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from two_tower_assets.experiments.definition import Kind
from two_tower_assets.experiments.registered import Registered, State
from two_tower_assets.experiments.sequences import FEWEST_USERS

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

    @classmethod
    def of(cls, registered: Registered) -> Self:
        """Take what a readout needs of an experiment as it is registered."""
        weights = [arm.weight for arm in registered.arms]
        # As the assignment does it: the last arm takes what the others leave.
        shares = [*weights[:-1], 1 - sum(weights[:-1])]
        return cls(
            name=registered.name,
            kind=registered.kind,
            state=registered.state,
            primary=registered.primary_metric,
            guardrails=tuple(registered.guardrails),
            attribution=timedelta(hours=registered.attribution_hours),
            before=timedelta(days=registered.before_days),
            planned_users=registered.planned_users,
            arms=tuple(PlannedArm(arm.name, share) for arm, share in zip(registered.arms, shares, strict=True)),
            started_at=registered.started_at,
            stopped_at=registered.stopped_at,
        )

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

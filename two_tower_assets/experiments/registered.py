"""An experiment as the registry of a serving database has it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.definition import Arm, Experiment
from two_tower_assets.experiments.traffic import Slice

State = Literal["draft", "running", "stopped"]


class Registered(Experiment):
    """An experiment of the registry."""

    state: State
    traffic_from: Decimal | None
    traffic_until: Decimal | None
    promoted_arm: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    stopped_at: datetime | None

    @property
    def traffic(self) -> Slice | None:
        """Its users; None while it is a draft."""
        if self.traffic_from is None or self.traffic_until is None:
            return None
        return Slice(self.traffic_from, self.traffic_until)

    @property
    def versions(self) -> frozenset[str]:
        """Versions that its arms name."""
        return frozenset(arm.model_version for arm in self.arms if arm.model_version is not None)

    def arm_called(self, name: str) -> Arm:
        """Return an arm.

        Raises:
            ExperimentError: there is none of that name.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ExperimentError(
            f"Experiment {self.name} has no arm {name}",
            where="public.experiment_arms",
            remedy=f"Its arms are {', '.join(arm.name for arm in self.arms)}.",
        )

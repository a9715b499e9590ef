"""What a readout says, as values that are written to JSON, tables and pages; no arithmetic lives here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.definition import Kind
from two_tower_assets.experiments.registered import State

Decision = Literal["better", "worse", "no difference", "not yet", "broken"]
GuardState = Literal["ruled out", "not yet", "harmed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ArmFigures(_Frozen):
    """One arm."""

    arm: str
    share: float
    """Planned, of the users."""
    entered: int
    """Users who were served at least once."""
    counted: int
    """Of them, those whose window is over and who were not left out: what the metrics are of."""
    lists: int
    places: int
    """Of all lists together: the exposures."""
    metrics: dict[str, Interval]
    """By name; those that cannot be said are missing. The bounds hold at all looks together."""


class Look(_Frozen):
    """A day's end."""

    day: date
    users: int
    """In both arms, whose window is over."""
    difference: Interval | None
    """None where nothing could be said; without ends before there are enough users."""


class Comparison(_Frozen):
    """An arm beside the control in one metric."""

    arm: str
    metric: str
    users: int
    """In both arms."""
    planned: int
    """The same, as planned."""
    active: int
    """Of them, those who did what the metric counts at least once (all, where it counts no deeds)."""
    confidence: float
    """Of the bounds, at all looks together."""
    difference: Interval | None
    relative: Interval | None
    """As a share of the control's figure."""
    variance_left: float | None
    """Share of the variance that CUPED leaves."""
    detectable_now: float | None
    """Smallest true difference that so many users show with a chance of 80 %."""
    detectable_planned: float | None
    """The same of the planned users."""
    looks: tuple[Look, ...]


class Guardrail(_Frozen):
    """Whether a metric that must not be harmed is."""

    comparison: Comparison
    margin: float
    """Largest harm that is put up with, as a share of the control's figure."""
    state: GuardState
    """A harm beyond the margin is ruled out, not ruled out yet, or the arm is worse and may be beyond it."""


class Exclusions(_Frozen):
    """What is no part of the figures, or is with a doubt."""

    switched: int
    overlapping: int
    unexposed: int
    early: int
    ahead: int
    """Lists served in the future."""
    extreme: int
    """Users whose decisions count less, being more than three times what the top hundredth do."""


class Verdict(_Frozen):
    """What to do with an arm."""

    arm: str
    decision: Decision
    no_larger_than: float | None
    """With `no difference`: the largest difference that there may still be."""
    promotable: bool
    reasons: tuple[str, ...]
    """Why it may not be promoted."""
    days_needed: int | None
    """Until the planned users are counted, at the present rate; None where they never will be, 0 where they are."""
    text: str
    """A short paragraph for people."""


class DayOfEntries(_Frozen):
    """Users who entered an arm, and lists served, by the end of a day."""

    day: date
    users: dict[str, int]
    lists: dict[str, int]


class Readout(_Frozen):
    """Everything that is known of an experiment at a look."""

    experiment: str
    kind: Kind
    state: State
    at: datetime
    """End of what counts: the look, or the stop before it."""
    started_at: datetime | None
    primary: str
    attribution_hours: int
    before_days: int
    planned_users: int
    mismatch: float | None
    """Always-valid p-value of the planned shares; None with nobody in."""
    arms: tuple[ArmFigures, ...]
    """The control first."""
    entries: tuple[DayOfEntries, ...]
    comparisons: tuple[Comparison, ...]
    """Of each arm in each metric that is measured a user."""
    guardrails: tuple[Guardrail, ...]
    exclusions: Exclusions
    verdicts: tuple[Verdict, ...]
    """Of each arm but the control."""

    def verdict_of(self, arm: str) -> Verdict | None:
        """The verdict on an arm."""
        return next((verdict for verdict in self.verdicts if verdict.arm == arm), None)

    def primary_of(self, arm: str) -> Comparison:
        """An arm's comparison in the primary metric."""
        return next(each for each in self.comparisons if (each.arm, each.metric) == (arm, self.primary))

"""What was found, as values that are kept as JSON, shown in the UI and on the page, and read by the sensor."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.monitoring.figures import Family, Measure


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )


class Reading(_Record):
    """One figure of a window beside the reference."""

    key: str
    name: str
    family: Family
    measure: Measure
    value: float | None
    """How far both are apart; None: there is no row on one side."""
    bound: float
    """What chance and ordinary weeks pass so seldom as the settings ask for."""
    rows: int
    """Of the window."""
    labels: tuple[str, ...]
    """Of the bins."""
    reference: tuple[float, ...]
    """Share of each bin."""
    current: tuple[float, ...]

    @property
    def drifted(self) -> bool:
        """Whether the bound is passed."""
        return self.value is not None and self.value > self.bound

    @property
    def most_moved(self) -> int:
        """The bin whose share moved most."""
        moves = [abs(now - then) for now, then in zip(self.current, self.reference, strict=True)]
        return moves.index(max(moves))


class DriftReport(_Record):
    """A window beside what the live release was trained on."""

    model_version: str | None = None
    """The live release; None: nothing is live."""
    cutoff: datetime | None = None
    """The release knows nothing later."""
    start: datetime | None = None
    end: datetime | None = None
    """The window."""
    users: int = 0
    decisions: int = 0
    videos: int = 0
    """Active ones."""
    new_videos: int = 0
    """Active ones that came since the cut-off."""
    retired_videos: int = 0
    """That were active at the cut-off and are not any more."""
    readings: tuple[Reading, ...] = ()
    reason: str | None = None
    """Why nothing was judged."""

    @property
    def drifted(self) -> tuple[Reading, ...]:
        """Figures that passed their bound, the farthest beyond it first."""
        found = [each for each in self.readings if each.drifted]
        return tuple(sorted(found, key=lambda each: -(each.value or 0.0) / each.bound))


class LikeRate(_Record):
    """What was thought of videos from one source of one version's lists."""

    model_version: str
    source: str
    lists: int
    """In which the source had a place."""
    decisions: int
    """LIKEs and NOPEs on them within the time that counts."""
    rate: Interval | None
    """LIKEs among them, with its 95 % interval over users, unless these are too few; None: nobody decided."""


class LiveLikes(_Record):
    """What people thought of the lists that were served."""

    start: datetime | None = None
    end: datetime | None = None
    lists: int = 0
    rates: tuple[LikeRate, ...] = ()
    surely_worse: tuple[str, ...] = ()
    """Versions whose own suggestions are liked less than popular ones in the same lists, more than by chance."""
    reason: str | None = None


class VectorHealth(_Record):
    """The video vectors of the live release, and beside those of the one before it."""

    model_version: str | None = None
    previous_version: str | None = None
    videos: int = 0
    largest_norm_error: float = 0.0
    """Of a vector's length from 1."""
    dimension: float | None = None
    """Effective number of directions that the vectors use: 1 is a collapse."""
    previous_dimension: float | None = None
    smallest_dimension: float | None = None
    """A release whose vectors use fewer has collapsed."""
    churn: Interval | None = None
    """Mean share of a video's nearest neighbours that are others than before, with its interval over videos."""
    chance_churn: float | None = None
    """What two unrelated releases would have."""
    common: int = 0
    """Videos in both."""
    churn_of_videos: tuple[float, ...] = ()
    """Share of changed neighbours of each sampled video."""
    problems: tuple[str, ...] = ()
    reason: str | None = None


class Health(_Record):
    """All of it: the newest state."""

    drift: DriftReport = DriftReport()
    likes: LiveLikes = LiveLikes()
    vectors: VectorHealth = VectorHealth()

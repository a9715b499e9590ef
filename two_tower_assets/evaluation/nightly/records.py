"""What a replay keeps of each night and of the day after it, as JSON documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["promoted", "refused", "unchanged"]
"""`refused`: a blocking check said no, and what was live stays; `unchanged`: no row had come."""

LIVE: Final = "live"
"""The release that was live in the morning."""
FIRST: Final = "never retrained"
"""The first release, as if no night had come after it."""
POPULAR: Final = "popular, 7 days"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Arrived(_Part):
    """Rows that came since the night before."""

    decisions: int
    users: int
    """Who decided for the first time."""
    videos: int


class Refusal(_Part):
    """One answer of the gate, or one other blocking check, that was no."""

    question: str
    reason: str


class Night(_Part):
    """One run of the job `release`."""

    morning: datetime
    """Rows from before this moment were there."""
    cutoff: datetime
    """Of the snapshot that was taken."""
    arrived: Arrived
    outcome: Outcome
    refusals: tuple[Refusal, ...]
    judged_users: int | None
    """Known users in the test window of its evaluation; null when it was refused before."""
    live: str | None
    """Version that was live afterwards."""
    seconds: float


class Day(_Part):
    """How what was live in a morning did on that day."""

    morning: datetime
    deciding: int
    """Everybody who decided anything on that day."""
    users: int
    """Those who were asked about."""
    likes: int
    """Hidden LIKEs."""
    versions: Mapping[str, str]
    """Method to the version that answered."""
    values: Mapping[str, Mapping[str, tuple[float, ...]]]
    """Method to metric to one value a user, in the same order for all methods."""

"""How large a catalogue is: users and videos that a number of decisions goes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

_DECISIONS_A_USER: Final = 30
_DECISIONS_A_VIDEO: Final = 150
"""With both, 3·10^7 decisions are of a million users on 200 000 videos."""
_FEWEST_VIDEOS: Final = 500
"""With fewer, few users find enough to decide on."""


@dataclass(frozen=True)
class Size:
    """Rows of each table."""

    decisions: int
    users: int
    videos: int

    @classmethod
    def of(cls, decisions: int, *, users: int | None = None, videos: int | None = None) -> Self:
        """Choose what is not given."""
        return cls(
            decisions,
            users or max(1, decisions // _DECISIONS_A_USER),
            videos or max(_FEWEST_VIDEOS, decisions // _DECISIONS_A_VIDEO),
        )

"""A question whose answer is known, what is promised of it, and what thousands of simulated experiments found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answer:
    """One question."""

    question: str
    promised: str
    found: float
    error: float
    """Standard error of what was found."""
    held: bool
    is_share: bool = True
    """And not a number of times."""

    def __str__(self) -> str:
        """Say what was found."""
        return f"{self.found:.1%} ± {self.error:.1%}" if self.is_share else f"{self.found:.1f} ± {self.error:.1f}"


def rate(question: str, promised: str, happened: NDArray[np.bool_], low: float, high: float) -> Answer:
    """Answer with a share of cases, which is to lie from `low` to `high`."""
    share = float(happened.mean())
    # One case is added to each side, so that 0 has an error too.
    smoothed = (share * len(happened) + 1) / (len(happened) + 2)
    error = math.sqrt(smoothed * (1 - smoothed) / len(happened))
    return Answer(question, promised, share, error, held=low <= share <= high)

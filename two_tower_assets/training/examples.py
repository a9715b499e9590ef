"""Which decisions are training examples, and where the global time split cuts them.

An example is a LIKE of a known, active video. Only its place in the history is stored: user vectors are built from
there when a batch is made, so no dense features of all examples ever exist.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from two_tower_assets.errors import TrainingError
from two_tower_assets.features.history import History
from two_tower_assets.home import replacing
from two_tower_assets.settings import EvaluationSettings

_HEADER_KEY: Final = "split"


@dataclass(frozen=True)
class Split:
    """Cut-offs of the global time split, in microseconds since the Unix epoch (UTC)."""

    validation_from: int
    """Decisions before it are fitted when the number of steps is chosen."""
    test_from: int
    """The validation window ends and the test window begins here."""
    end: int
    """Just after the last decision."""


@dataclass(frozen=True)
class Examples:
    """LIKEs to learn from, in the order of the history (user, time, video)."""

    decision: NDArray[np.int32]
    """[E] positions in the history's decisions."""
    split: Split

    def __len__(self) -> int:
        return len(self.decision)

    def before(self, history: History, until: int) -> Examples:
        """Return the examples strictly before `until` (microseconds)."""
        early = history.time[self.decision] < until
        return Examples(self.decision[early], self.split)

    def save(self, path: Path) -> None:
        """Write as safetensors, atomically."""
        with replacing(path) as temporary:
            save_file({"decision": self.decision}, temporary, metadata={_HEADER_KEY: json.dumps(vars(self.split))})

    @classmethod
    def load(cls, path: Path) -> Examples:
        """Read what `save` wrote."""
        with safe_open(path, framework="np") as file:
            split = Split(**json.loads(file.metadata()[_HEADER_KEY]))
            return cls(file.get_tensor("decision"), split)


def find_examples(history: History, settings: EvaluationSettings) -> Examples:
    """Collect every LIKE of a known, active video.

    Raises:
        TrainingError: the history has no decisions.
    """
    return Examples(history.examples(), split_times(history, settings))


def split_times(history: History, settings: EvaluationSettings) -> Split:
    """Cut at quantiles of the times of all decisions: the time of decision ⌊q · D⌋ in order of time.

    Raises:
        TrainingError: the history has no decisions.
    """
    if not len(history.time):
        raise TrainingError(
            "There are no decisions to learn from", where="user_video_decisions", remedy="Add decisions of users."
        )
    ordered = np.sort(history.time)
    validation_from, test_from = (
        int(ordered[int(quantile * len(ordered))])
        for quantile in (settings.validation_quantile, settings.test_quantile)
    )
    return Split(validation_from, test_from, int(ordered[-1]) + 1)

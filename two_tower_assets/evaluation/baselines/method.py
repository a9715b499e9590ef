"""What every baseline is: a name, a few parameters to try, and a fit that can score the users of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

Parameters = Mapping[str, float]
"""Numbers by name, as JSON holds them; empty where nothing is tuned."""


class Fitted(Protocol):
    """A method that has learned from the past."""

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of its figures should know, as sentences; mostly nothing."""
        ...

    def score(self, task: RankingTask) -> Score:
        """Score the candidates for the users of a task, whose states end where the task says."""
        ...


class Baseline(Protocol):
    """A method before it has seen data."""

    @property
    def name(self) -> str:
        """How reports call it."""
        ...

    @property
    def grid(self) -> Sequence[Parameters]:
        """The parameters worth trying; one entry, `{}`, where nothing is tuned."""
        ...

    def fit(self, data: TrainingData, parameters: Parameters) -> Fitted:
        """Learn from the LIKEs before `data.until`; the same data and parameters give the same scores.

        Raises:
            EvaluationError: the method cannot be fitted on these data, or its library is not installed. The others
                can be measured all the same.
        """
        ...

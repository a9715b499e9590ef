"""What a replay comes to: how many releases, why others were refused, and what retraining gave on the days after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.evaluation.nightly.next_day import METRICS
from two_tower_assets.evaluation.nightly.records import FIRST, LIVE, Day, Night
from two_tower_assets.settings import EvaluationSettings


class Summary(BaseModel):
    """A whole replay."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    outcomes: Mapping[str, int]
    """Outcome to nights."""
    questions: Mapping[str, int]
    """Question to the nights that were refused by it; a night may be refused by several."""
    user_days: int
    """Persons asked about, one count a day, since the first release."""
    other_user_days: int
    """Those of days on which another version than the first was live."""
    metrics: Mapping[str, Mapping[str, Interval]]
    """Method to metric to its mean over the user-days."""
    gains: Mapping[str, Interval]
    """Metric to the live release minus the one never retrained, paired by user-day."""


def summarise(nights: Sequence[Night], days: Sequence[Day], settings: EvaluationSettings) -> Summary:
    """Put nights and days together; days before the first release have nothing to compare."""
    compared = [day for day in days if LIVE in day.values and day.users]
    values = _joined(compared)
    user_days = sum(day.users for day in compared)
    resampling = Resampling(user_days, seed=settings.seed, resamples=settings.resamples)
    gains = {metric: values[LIVE][metric] - values[FIRST][metric] for metric in METRICS} if compared else {}
    return Summary(
        outcomes=Counter(night.outcome for night in nights),
        questions=Counter(refusal.question for night in nights for refusal in night.refusals),
        user_days=user_days,
        other_user_days=sum(day.users for day in compared if day.versions[LIVE] != day.versions[FIRST]),
        metrics={method: resampling.means(columns) for method, columns in values.items()},
        gains=resampling.means(gains) if gains else {},
    )


def _joined(days: Sequence[Day]) -> dict[str, dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    """Method to metric to the values of all days, one behind the other."""
    methods = days[0].values if days else ()
    return {
        method: {metric: np.concatenate([day.values[method][metric] for day in days]) for metric in METRICS}
        for method in methods
    }

"""What an evaluation says, as one JSON document: methods, metrics with intervals, segments, and what is missing.

How the numbers come about is in `figures` and `evaluate`, the verdict in `gate`; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.choices import Choices

MODEL: Final = "two_tower"
"""The towers under evaluation, as they would be served: with the declared fallback for users without decisions."""
RERANKED: Final = "two_tower_reranked"
"""The towers' lists after the re-ranking of `ai-recommend-v5`."""
FALLBACK: Final = "fallback"
"""Fading popularity, which answers users without decisions; part of what is served, and not a baseline."""
CHAMPION: Final = "champion"
"""The live release's settings, refitted before the same window."""

KNOWN: Final = "known"
"""Users who had decided something before their moment: the group that the gate judges."""
NEW: Final = "new"
"""Users without any decision before it."""
ALL: Final = "all"
"""Everybody asked: the only group of trials in which nobody is new."""

RECALL: Final = "recall@200"
NDCG: Final = "ndcg@10"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Group(_Part):
    """Figures of one group of users, or of some of everybody's targets."""

    users: int
    targets: int
    """LIKEs that could have been recommended."""
    metrics: Mapping[str, Mapping[str, Interval]]
    """Method to metric (`recall@200`, `ndcg@10`, `coverage@10`, …) to its mean and 95 % interval over users."""
    gains: Mapping[str, Mapping[str, Interval]] = {}
    """Other method to metric to the paired difference, the towers minus that method."""


class TrialReport(_Part):
    """One protocol."""

    trial: str
    start: datetime | None
    """The cut-off of a global split; users, candidates and popularity are as of just before it."""
    end: datetime | None
    """Just after the last decision that is asked for."""
    candidates: int
    """Videos ranked for every user."""
    left_out: Mapping[str, int]
    """LIKEs that no method could have recommended, by reason."""
    groups: Mapping[str, Group]
    """Users known and new, light and heavy; targets of the tail and of large, middle and small makers."""
    catalogue_maker_hhi: float | None = None
    """Concentration of the candidates' makers."""
    liked_maker_hhi: float | None = None
    """Concentration of the makers of what was liked before."""

    def figure(self, group: str, method: str, metric: str) -> Interval | None:
        """One figure, or None when it was not measured."""
        found = self.groups.get(group)
        return None if found is None else found.metrics.get(method, {}).get(metric)

    @property
    def judged(self) -> str:
        """The group that this trial's verdict is about."""
        return KNOWN if KNOWN in self.groups else ALL


class Calibration(_Part):
    """How far the like probability of `choices` holds on the test window."""

    decisions: int
    """LIKEs and NOPEs of the test window that it was measured on."""
    brier: float | None = None
    log_loss: float | None = None
    expected_error: float | None = None
    """Expected calibration error, bins of equal mass."""
    reliability: tuple[tuple[float, float, int], ...] = ()
    """Bins: mean probability, share of LIKEs, decisions."""


class Baseline(_Part):
    """How a baseline was tuned, or why it is missing."""

    parameters: Mapping[str, Any] | None = None
    """Chosen on the validation window."""
    missing: str | None = None
    """Why it was not measured."""
    notes: tuple[str, ...] = ()
    """What a reader of its figures should know."""


class Report(_Part):
    """How well the fitted towers retrieve what users liked later, beside what people would use instead."""

    preset: str
    choices: Choices
    """What the validation window decided."""
    trials: Mapping[str, TrialReport]
    baselines: Mapping[str, Mapping[str, Baseline]]
    """Trial to baseline to how it was tuned."""
    calibration: Calibration | None = None
    champion_version: str | None = None
    """The live release that was compared, when there is one."""
    champion_missing: str | None = None
    """Why a live release could not be compared."""
    notes: tuple[str, ...] = ()
    """What could not be measured, in sentences."""

    def trial(self, name: str) -> TrialReport:
        """One protocol's figures."""
        return self.trials[name]


OWN: Final = frozenset({MODEL, RERANKED, FALLBACK, CHAMPION})
"""Methods that are no baselines."""


def best_of(metrics: Mapping[str, Mapping[str, Interval]], metric: str, methods: Iterable[str]) -> str | None:
    """Name of the method with the highest mean, or None when none was measured."""
    measured = [name for name in methods if metric in metrics.get(name, {})]
    return max(measured, key=lambda name: metrics[name][metric].mean, default=None)

"""Lists that one ranking chose by known chances, and what they say of another that was never shown.

Letters: E experiments, N showings, V videos a person could be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from two_tower_assets.experiments.moments import Numbers
from two_tower_assets.experiments.off_policy import (
    Showings,
    Value,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)
from two_tower_assets.experiments.simulation.answer import Answer, rate
from two_tower_assets.experiments.simulation.seeds import generators

_SHOWINGS: Final = 4000
_CONFIDENCE: Final = 0.95
_IPS: Final = "weighted (IPS)"
_GOOD: Final = "doubly robust, the prediction right"
_Estimate = Callable[[Showings, Numbers, Numbers], Value]
_ESTIMATES: Final[tuple[tuple[str, float, _Estimate], ...]] = (
    (_IPS, 0.0, lambda seen, _predicted, _expected: inverse_propensity(seen)),
    ("self-normalised", 0.0, lambda seen, _predicted, _expected: self_normalised(seen)),
    (_GOOD, 0.0, doubly_robust),
    ("doubly robust, the prediction wrong by 0.2", 0.2, doubly_robust),
)


@dataclass(frozen=True)
class Logged:
    """People with a dozen videos each, shown by the softmax of one opinion; a candidate has a better one."""

    videos: int = 12
    sharpness: float = 1.0
    """Of the logging ranking's choice: at 0 it shows any video alike."""
    candidate_sharpness: float = 2.0
    bias: float = 0.0
    """By how much a prediction of the reward is wrong."""

    def draw(self, showings: int, random: np.random.Generator) -> tuple[Showings, Numbers, Numbers, float]:
        """Return what was shown, rewards foretold of it and of the candidate, and the candidate's true value."""
        appeal_NV = random.standard_normal((showings, self.videos))
        chance_NV = 1 / (1 + np.exp(1.5 - appeal_NV))
        opinion_NV = appeal_NV + random.standard_normal(appeal_NV.shape)
        logging_NV = _softmax(self.sharpness * opinion_NV)
        candidate_NV = _softmax(self.candidate_sharpness * appeal_NV)
        shown_N = (logging_NV.cumsum(axis=1) < random.random((showings, 1))).sum(axis=1).clip(max=self.videos - 1)
        rows_N = np.arange(showings)
        reward_N = (random.random(showings) < chance_NV[rows_N, shown_N]).astype(np.float64)
        seen = Showings(reward_N, logging_NV[rows_N, shown_N], candidate_NV[rows_N, shown_N])
        foretold_NV = chance_NV + self.bias
        return (
            seen,
            foretold_NV[rows_N, shown_N],
            (candidate_NV * foretold_NV).sum(axis=1),
            float((candidate_NV * chance_NV).sum(axis=1).mean()),
        )


def logged_lists(experiments: int) -> Iterator[Answer]:
    """Put every question of off-policy estimates, each to half of the experiments."""
    fewer = max(experiments // 2, 50)
    truth = float(np.mean([Logged().draw(_SHOWINGS, random)[3] for random in generators(9, 50)]))
    errors: dict[str, float] = {}
    for name, bias, estimate in _ESTIMATES:
        values = [estimate(*Logged(bias=bias).draw(_SHOWINGS, random)[:3]) for random in generators(10, fewer)]
        covered = np.array([low <= truth <= high for low, high in (each.interval(_CONFIDENCE) for each in values)])
        errors[name] = float(np.std([each.mean for each in values]))
        yield rate(
            f"a candidate never shown, {name}: the truth within the interval", "95 % ± 2.5", covered, 0.925, 0.975
        )
    ratio = errors[_GOOD] / errors[_IPS]
    yield Answer(f"error of {_GOOD}, of that of {_IPS}", "less than 1", ratio, ratio / np.sqrt(fewer), held=ratio < 1)


def _softmax(score_NV: Numbers) -> Numbers:
    raised_NV = np.exp(score_NV - score_NV.max(axis=1, keepdims=True))
    return np.asarray(raised_NV / raised_NV.sum(axis=1, keepdims=True))

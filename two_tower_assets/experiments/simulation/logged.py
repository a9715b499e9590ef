"""Lists that one ranking chose by known chances, and what they say of another that was never shown.

They are weighed as the command weighs served lists. Letters: N showings, U people, V videos a person could be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.counterfactual.value import CandidateValue, candidate_value
from two_tower_assets.experiments.moments import Numbers
from two_tower_assets.experiments.off_policy import Foretold, Showings
from two_tower_assets.experiments.simulation.answer import Answer, rate
from two_tower_assets.experiments.simulation.seeds import generators

_IPS: Final = "weighted (IPS)"
_GOOD: Final = "doubly robust, the prediction right"
_WRONG: Final = 0.2


@dataclass(frozen=True)
class Logged:
    """People with a taste of their own and a dozen videos at each place, shown by the softmax of one opinion.

    A candidate has a better one.
    """

    people: int = 800
    places: int = 5
    """Showings of each person."""
    videos: int = 12
    readiness: float = 0.7
    """Standard deviation of people's readiness to like: it makes the places of one alike."""
    sharpness: float = 1.0
    """Of the logging ranking's choice: at 0 it shows any video alike."""
    candidate_sharpness: float = 2.0
    bias: float = 0.0
    """By how much a prediction of the reward is wrong."""

    def draw(self, random: np.random.Generator) -> tuple[Showings, Foretold, float]:
        """Return what was shown, rewards foretold, and the candidate's true value."""
        user_N = np.repeat(np.arange(self.people), self.places)
        rows_N = np.arange(len(user_N))
        appeal_NV = random.standard_normal((len(user_N), self.videos))
        ready_N = self.readiness * random.standard_normal(self.people)[user_N]
        chance_NV = 1 / (1 + np.exp(1.5 - appeal_NV - ready_N[:, None]))
        opinion_NV = appeal_NV + random.standard_normal(appeal_NV.shape)
        logging_NV = _softmax(self.sharpness * opinion_NV)
        candidate_NV = _softmax(self.candidate_sharpness * appeal_NV)
        drawn_N = random.random((len(user_N), 1))
        shown_N = (logging_NV.cumsum(axis=1) < drawn_N).sum(axis=1).clip(max=self.videos - 1)
        reward_N = (random.random(len(user_N)) < chance_NV[rows_N, shown_N]).astype(np.float64)
        foretold_NV = chance_NV + self.bias
        return (
            Showings(reward_N, logging_NV[rows_N, shown_N], candidate_NV[rows_N, shown_N], user_N),
            Foretold(foretold_NV[rows_N, shown_N], (candidate_NV * foretold_NV).sum(axis=1)),
            float((candidate_NV * chance_NV).sum(axis=1).mean()),
        )

    def value(self, random: np.random.Generator) -> CandidateValue:
        """Weigh one draw."""
        showings, foretold, _ = self.draw(random)
        return candidate_value(showings, foretold)


def logged_lists(experiments: int) -> Iterator[Answer]:
    """Put every question of off-policy estimates, each to half of the experiments."""
    fewer = max(experiments // 2, 50)
    truth = float(np.mean([Logged().draw(random)[2] for random in generators(9, 100)]))
    good, wrong = ([Logged(bias=bias).value(random) for random in generators(10, fewer)] for bias in (0.0, _WRONG))
    estimates: dict[str, list[Interval | None]] = {
        _IPS: [each.inverse_propensity for each in good],
        "self-normalised": [each.candidate for each in good],
        _GOOD: [each.doubly_robust for each in good],
        f"doubly robust, the prediction wrong by {_WRONG}": [each.doubly_robust for each in wrong],
    }
    errors = {}
    for name, found in estimates.items():
        low_N, high_N = np.array([bounds(each) for each in found]).T
        errors[name] = float((low_N + high_N).std())
        covered = (low_N <= truth) & (truth <= high_N)
        question = f"a candidate never shown, {name}: the truth within the interval"
        yield rate(question, "95 % ± 2.5", covered, 0.925, 0.975)
    ratio = errors[_GOOD] / errors[_IPS]
    yield Answer(f"error of {_GOOD}, of that of {_IPS}", "less than 1", ratio, ratio / np.sqrt(fewer), held=ratio < 1)


def bounds(found: Interval | None) -> tuple[float, float]:
    """Return both ends of what has an interval."""
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def _softmax(score_NV: Numbers) -> Numbers:
    raised_NV = np.exp(score_NV - score_NV.max(axis=1, keepdims=True))
    return np.asarray(raised_NV / raised_NV.sum(axis=1, keepdims=True))

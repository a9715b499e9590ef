"""How often the gate errs, by number of evaluated users: it passes a worse model, or refuses an equal one.

Each replication draws users with replacement from a population whose truth is known, measures both models on them,
resamples them as an evaluation does and asks the gate itself. All replications of a size are columns of one
`Resampling`, which is what makes thousands of them take seconds. What does not live here: the populations
(`gate_populations`, `gate_audiences`) and the rule (`gate`). Letters: R replications, U users drawn, P users of the
population.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.evaluation.gate import finds_as_much
from two_tower_assets.evaluation.gate_populations import (
    Change,
    PairedHits,
    Population,
    equal,
    lower_in_the_list,
    population,
    worse_everywhere,
    worse_for_some,
)
from two_tower_assets.evaluation.report import CHAMPION, MODEL, NDCG, RECALL, Group
from two_tower_assets.progress import Progress, silent
from two_tower_assets.settings import EvaluationSettings, GateSettings

SIZES: Final = (20, 50, 77, 100, 200, 500, 1000, 2000, 5000)

EQUAL: Final = "equal"
WORSE: Final[Mapping[str, Change]] = {
    "worse, all users alike": worse_everywhere,
    "worse, some users lose all": worse_for_some,
    "worse in NDCG@10 alone": lower_in_the_list,
}
CHANGES: Final[Mapping[str, Change]] = {EQUAL: equal, **WORSE}

_CHUNK_CELLS: Final = 1_000_000
"""Users times replications drawn at once: 32 MB of values."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Share(_Part):
    """How often something happened."""

    count: int
    replications: int

    @property
    def share(self) -> float:
        """Out of 1."""
        return self.count / self.replications

    @property
    def error(self) -> float:
        """Monte-Carlo error: the standard error of the share, with one case added to each side so that 0 has one."""
        share = (self.count + 1) / (self.replications + 2)
        return math.sqrt(share * (1 - share) / self.replications)


class Passes(_Part):
    """How often a challenger of one kind passed, by number of users."""

    challenger: str
    true_ratio: Mapping[str, float]
    """Metric to the challenger's mean divided by the champion's, in the whole population."""
    passed: Mapping[int, Share]

    def erred(self, users: int) -> Share:
        """How often the gate was wrong: passed a worse challenger, or refused an equal one."""
        passed = self.passed[users]
        refused = Share(count=passed.replications - passed.count, replications=passed.replications)
        return refused if self.challenger == EQUAL else passed


class Simulation(_Part):
    """All challengers of one pair of models."""

    name: str
    margin: float
    challengers: tuple[Passes, ...]


def simulate(
    name: str,
    pair: PairedHits,
    *,
    sizes: tuple[int, ...] = SIZES,
    replications: int = 2000,
    gate: GateSettings | None = None,
    evaluation: EvaluationSettings | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Simulation:
    """Let the gate judge challengers that are truly equal, and truly 5 % worse.

    Args:
        name: of the simulation.
        pair: what two models found for the same users.
        sizes: numbers of users to draw.
        replications: R, of each size and challenger.
        gate: the margin.
        evaluation: bootstrap resamples and their seed.
        seed: of the draws.
        progress: told of each size of each challenger.
    """
    gate, evaluation = gate or GateSettings(), evaluation or EvaluationSettings()
    challengers = []
    for number, (challenger, change) in enumerate(CHANGES.items()):
        everybody = population(pair, change, seed=seed)
        passed = {}
        for done, users in enumerate(sizes, start=number * len(sizes) + 1):
            resampling = Resampling(users, seed=evaluation.seed, resamples=evaluation.resamples)
            rng = np.random.default_rng((seed, number, users))
            passed[users] = _passed(everybody, resampling, replications, gate, rng)
            progress(done, len(CHANGES) * len(sizes))
        challengers.append(Passes(challenger=challenger, true_ratio=everybody.true_ratio, passed=passed))
    return Simulation(name=name, margin=gate.margin, challengers=tuple(challengers))


def _passed(
    everybody: Population, resampling: Resampling, replications: int, gate: GateSettings, rng: np.random.Generator
) -> Share:
    count = 0
    for size in _chunks(replications, max(1, _CHUNK_CELLS // resampling.users)):
        drawn_UR = rng.integers(everybody.users, size=(resampling.users, size))
        groups = _measured(everybody, drawn_UR, resampling)
        count += sum(all(answer.passed for answer in finds_as_much(group, RECALL, gate)) for group in groups)
    return Share(count=count, replications=replications)


def _chunks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


def _measured(everybody: Population, drawn_UR: NDArray[np.int64], resampling: Resampling) -> Iterator[Group]:
    """What an evaluation of each replication's users would say of both models."""
    champion = {name: everybody.champion[name][drawn_UR] for name in (RECALL, NDCG)}
    challenger = {name: everybody.challenger[name][drawn_UR] for name in (RECALL, NDCG)}
    columns = {
        f"{name} {column}": difference_U
        for name in (RECALL, NDCG)
        for column, difference_U in enumerate((challenger[name] - champion[name]).T)
    }
    gains = resampling.means(columns)
    for column in range(drawn_UR.shape[1]):
        yield Group(
            users=resampling.users,
            targets=0,
            metrics={MODEL: _means(challenger, column), CHAMPION: _means(champion, column)},
            gains={CHAMPION: {name: gains[f"{name} {column}"] for name in (RECALL, NDCG)}},
        )


def _means(values: Mapping[str, NDArray[np.float64]], column: int) -> dict[str, Interval]:
    return {name: Interval.point(float(value_UR[:, column].mean())) for name, value_UR in values.items()}

"""How often the gate is wrong: it passes a model that is truly 5 % worse, or refuses one that is truly equal.

Evaluations are drawn from populations whose truth is known, intervals are bootstrapped as in a report, and the
verdict is the gate's own (`gate.champion_answers`). Letters: U users of one evaluation, N replications.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.evaluation.gate import champion_answers
from two_tower_assets.evaluation.gate_audiences import AUDIENCES, Audience, audience_hits
from two_tower_assets.evaluation.gate_populations import (
    Population,
    equal,
    population,
    worse_everywhere,
    worse_for_some,
)
from two_tower_assets.evaluation.report import NDCG, RECALL

SIZES: Final = (20, 50, 77, 100, 200, 500, 1000, 2000, 5000)
"""Numbers of evaluated users; 77 are the known users of ml-100k's test window."""

_POPULATION: Final = 20_000
_BLOCK_CELLS: Final = 2_000_000


@dataclass(frozen=True)
class Rates:
    """How often the gate was wrong at one number of users."""

    audience: str
    users: int
    replications: int
    passes_worse: float
    """Share of evaluations in which a model passed that truly finds 5 % less for everybody."""
    passes_worse_for_some: float
    """The same of a model that finds nothing for one user in twenty, and as much as ever for the others."""
    refuses_equal: float
    """Share of evaluations in which a truly equal model was refused."""

    def error_of(self, rate: float) -> float:
        """Standard error of a rate by its replications; one case is added to each side, so that 0 has one too."""
        share = (rate * self.replications + 1) / (self.replications + 2)
        return math.sqrt(share * (1 - share) / self.replications)


def simulate(
    margin: float,
    *,
    sizes: tuple[int, ...] = SIZES,
    replications: int = 2000,
    audiences: tuple[Audience, ...] = AUDIENCES,
    seed: int = 0,
) -> Iterator[Rates]:
    """Measure the rates for each audience and number of users.

    Args:
        margin: the gate's.
        sizes: numbers of users.
        replications: evaluations drawn for each rate.
        audiences: who is asked.
        seed: of all draws.
    """
    for audience in audiences:
        pair = audience_hits(audience, _POPULATION, seed=seed)
        same, worse, partly = (
            population(pair, change, seed=seed) for change in (equal, worse_everywhere, worse_for_some)
        )
        for users in sizes:
            yield Rates(
                audience=audience.name,
                users=users,
                replications=replications,
                passes_worse=passing(worse, users, replications, margin, seed=seed),
                passes_worse_for_some=passing(partly, users, replications, margin, seed=seed + 2),
                refuses_equal=1 - passing(same, users, replications, margin, seed=seed + 1),
            )


def passing(people: Population, users: int, replications: int, margin: float, *, seed: int) -> float:
    """Share of evaluations of so many users of a population in which the challenger passes."""
    rng = np.random.default_rng((seed, users))
    resampling = Resampling(users, seed=seed)
    size = max(1, _BLOCK_CELLS // users)
    passed = 0
    for start in range(0, replications, size):
        count = min(size, replications - start)
        passed += sum(_verdicts(people, rng.integers(people.users, size=(users, count)), resampling, margin))
    return passed / replications


def _verdicts(
    people: Population, drawn_UN: NDArray[np.int64], resampling: Resampling, margin: float
) -> Iterator[bool]:
    """Whether the challenger passes in each replication; all share the resamples, as methods of a report do."""
    gains = {metric: _intervals(people, metric, drawn_UN, resampling) for metric in (RECALL, NDCG)}
    champion_N = people.champion[RECALL][drawn_UN].mean(axis=0)
    for replication, mean in enumerate(champion_N.tolist()):
        one = {metric: intervals[replication] for metric, intervals in gains.items()}
        yield all(answer.passed for answer in champion_answers(one, {RECALL: mean}, RECALL, margin))


def _intervals(
    people: Population, metric: str, drawn_UN: NDArray[np.int64], resampling: Resampling
) -> list[Interval]:
    gain_UN = (people.challenger[metric] - people.champion[metric])[drawn_UN]
    found = resampling.means({str(number): gain_UN[:, number] for number in range(gain_UN.shape[1])})
    return list(found.values())

"""Users for the simulation of the gate: what two models find for each, and how much worse one of them truly is.

A population is finite and samples are drawn from it with replacement, so what is true of it is known exactly.
Models are made equal by symmetry: every user stands in it twice, once with the two models exchanged. The challenger
is then made worse by exactly `LOSS`: every user stands in it `COPIES` times, and each hit is lost in exactly one of
the copies. Recall and NDCG are sums over hits divided by what the targets alone decide, so both fall by exactly that
share whatever the distribution of users, targets and ranks.

Where two models' hits come from is `gate_audiences`' part.
What does not live here: sampling, intervals and verdicts (`gate_simulation`). Letters: P users of a population,
U users before they are multiplied, T targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import BEYOND, Hits
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.report import NDCG, RECALL

COPIES: Final = 20
LOSS: Final = 1 / COPIES
"""How much worse a worse challenger is: 5 %."""

_DEPTH: Final = 200
_TOP: Final = 10

Metrics = Mapping[str, NDArray[np.float64]]
"""Metric to its value for each user, [P]."""


@dataclass(frozen=True)
class PairedHits:
    """Where the same targets stand in the lists of two models."""

    champion: Hits
    challenger: Hits

    def exchanged(self) -> PairedHits:
        """The same with the models' roles exchanged."""
        return PairedHits(self.challenger, self.champion)


@dataclass(frozen=True)
class Population:
    """Everybody who could be asked."""

    champion: Metrics
    challenger: Metrics

    @property
    def users(self) -> int:
        """P."""
        return len(self.champion[RECALL])

    @property
    def true_ratio(self) -> dict[str, float]:
        """Challenger's mean divided by the champion's, over everybody."""
        return {name: float(self.challenger[name].mean() / value_P.mean()) for name, value_P in self.champion.items()}


Change = Callable[[Hits, np.random.Generator], Iterator[Hits]]
"""What becomes of a challenger's hits in each copy of the users."""


def equal(hits: Hits, rng: np.random.Generator) -> Iterator[Hits]:
    """Leave the challenger as it is."""
    del rng
    yield hits


def worse_everywhere(hits: Hits, rng: np.random.Generator) -> Iterator[Hits]:
    """Lose one hit in twenty, whoever's it is."""
    lost_in_T = rng.integers(COPIES, size=len(hits.rank))
    yield from (_without(hits, lost_in_T == copy) for copy in range(COPIES))


def worse_for_some(hits: Hits, rng: np.random.Generator) -> Iterator[Hits]:
    """Lose all hits of one user in twenty."""
    lost_in_U = rng.integers(COPIES, size=hits.users)
    yield from (_without(hits, lost_in_U[hits.row] == copy) for copy in range(COPIES))


def lower_in_the_list(hits: Hits, rng: np.random.Generator) -> Iterator[Hits]:
    """Move one hit in twenty of the first ten far down: NDCG@10 falls by as much as ever, recall@200 does not."""
    moved_in_T = rng.integers(COPIES, size=len(hits.rank))
    for copy in range(COPIES):
        moved_T = (moved_in_T == copy) & hits.within(_TOP)
        # Another hit may stand there too: neither metric asks who of the two does.
        yield Hits(hits.row, np.where(moved_T, _DEPTH - 1, hits.rank), hits.users)


def population(pair: PairedHits, change: Change, *, seed: int = 0) -> Population:
    """Make the models equal, then change the challenger.

    Args:
        pair: what both found.
        change: what becomes of the challenger.
        seed: of the draws which hits are lost in which copy.
    """
    rng = np.random.default_rng(seed)
    champion: list[dict[str, NDArray[np.float64]]] = []
    challenger: list[dict[str, NDArray[np.float64]]] = []
    for ordered in (pair, pair.exchanged()):
        changed = [_values(hits) for hits in change(ordered.challenger, rng)]
        challenger += changed
        champion += [_values(ordered.champion)] * len(changed)
    return Population(_joined(champion), _joined(challenger))


def _without(hits: Hits, lost_T: NDArray[np.bool_]) -> Hits:
    return Hits(hits.row, np.where(lost_T, BEYOND, hits.rank), hits.users)


def _values(hits: Hits) -> dict[str, NDArray[np.float64]]:
    return {RECALL: recall_at(hits, _DEPTH), NDCG: ndcg_at(hits, _TOP)}


def _joined(parts: list[dict[str, NDArray[np.float64]]]) -> Metrics:
    return {name: np.concatenate([part[name] for part in parts]) for name in (RECALL, NDCG)}

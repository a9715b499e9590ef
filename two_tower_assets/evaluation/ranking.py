"""Full ranking in blocks: every candidate scored for every user, decided videos removed, the best kept.

Letters: B users of a block, C candidates, K ranks, T targets, N NOPEs. Memory is one block of scores, never
users × videos. Which users and candidates is `task`'s; what the scores are is given as a callable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor

from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.task import Pairs, RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.features.ragged import ragged_positions
from two_tower_assets.home import replacing
from two_tower_assets.training.engine import LOCAL, Arrays, Engine

Score = Callable[[NDArray[np.int64]], Tensor]
"""Float32 scores [B, C] of all candidates for some rows of a task; the caller overwrites them."""

PADDING: Final = -1

_BLOCK_SCORES: Final = 1 << 23


@dataclass(frozen=True)
class Ranking:
    """What one method says to all users of a task."""

    top_UK: NDArray[np.int64]
    """Places in the task's candidates, best first; −1 where there were no more."""
    score_UK: NDArray[np.float32]
    """Their scores; −∞ where there were no more."""
    target_rank_T: NDArray[np.int64]
    """0-based rank of each target in its user's list; −1 beyond its end."""
    nope_rank_N: NDArray[np.int64]
    """The same of each NOPE."""
    target_score_T: NDArray[np.float32]
    nope_score_N: NDArray[np.float32]

    def targets(self, task: RankingTask) -> Hits:
        """Where the targets stand."""
        return Hits(task.targets.row, self.target_rank_T, len(task.users))

    def nopes(self, task: RankingTask) -> Hits:
        """Where the NOPEs stand."""
        return Hits(task.nopes.row, self.nope_rank_N, len(task.users))

    def part(self, task: RankingTask, chosen: NDArray[np.bool_]) -> Ranking:
        """What is said to some of the users ([U] mask of the task)."""
        targets, nopes = chosen[task.targets.row], chosen[task.nopes.row]
        return Ranking(
            self.top_UK[chosen],
            self.score_UK[chosen],
            self.target_rank_T[targets],
            self.nope_rank_N[nopes],
            self.target_score_T[targets],
            self.nope_score_N[nopes],
        )

    def save(self, path: Path) -> None:
        """Write as safetensors, atomically."""
        with replacing(path) as temporary:
            save_file({name: np.ascontiguousarray(value) for name, value in vars(self).items()}, temporary)

    @classmethod
    def load(cls, path: Path) -> Ranking:
        """Read what `save` wrote."""
        return cls(**load_file(path))


def rank(task: RankingTask, history: History, score: Score, k: int, *, engine: Engine = LOCAL) -> Ranking:
    """Rank all candidates for all users of the task and keep the first k of each.

    A score that is not finite is never shown.
    """
    ranker = _Ranker(task, history, score, min(k, len(task.candidates)))
    size = max(1, _BLOCK_SCORES // max(1, len(task.candidates)))
    starts = range(0, len(task.users), size)
    blocks = [np.arange(start, min(start + size, len(task.users))) for start in starts]
    ranking = _unfilled(task, ranker.k)
    for rows, found in zip(blocks, engine.blocks(ranker.block, blocks), strict=True):
        _fill(ranking, task, rows, found)
    return ranking


def reordered(ranking: Ranking, task: RankingTask, score_UK: NDArray[np.float32]) -> Ranking:
    """Sort each list by other scores; nothing enters a list and nothing leaves it.

    Args:
        ranking: the lists.
        task: what they answer.
        score_UK: the new scores; padding stays last whatever its score.
    """
    score_UK = np.where(ranking.top_UK == PADDING, -np.inf, score_UK).astype(np.float32)
    order_UK = np.argsort(-score_UK, axis=1, kind="stable")
    new_rank_UK = np.empty_like(order_UK)
    np.put_along_axis(new_rank_UK, order_UK, np.arange(order_UK.shape[1])[np.newaxis], axis=1)
    return replace(
        ranking,
        top_UK=np.take_along_axis(ranking.top_UK, order_UK, axis=1),
        score_UK=np.take_along_axis(score_UK, order_UK, axis=1),
        target_rank_T=_moved(ranking.target_rank_T, task.targets.row, new_rank_UK),
        nope_rank_N=_moved(ranking.nope_rank_N, task.nopes.row, new_rank_UK),
    )


def _moved(rank_T: NDArray[np.int64], row_T: NDArray[np.int64], new_rank_UK: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(rank_T == PADDING, PADDING, new_rank_UK[row_T, rank_T])


def _unfilled(task: RankingTask, k: int) -> Ranking:
    """Room for all lists, made at once: what blocks leave behind would lie between what they need for a moment."""
    users, targets, nopes = len(task.users), len(task.targets), len(task.nopes)
    return Ranking(
        top_UK=np.empty((users, k), np.int64),
        score_UK=np.empty((users, k), np.float32),
        target_rank_T=np.empty(targets, np.int64),
        nope_rank_N=np.empty(nopes, np.int64),
        target_score_T=np.empty(targets, np.float32),
        nope_score_N=np.empty(nopes, np.float32),
    )


def _fill(ranking: Ranking, task: RankingTask, rows: NDArray[np.int64], found: Arrays) -> None:
    """Put the lists of consecutive rows into their places."""
    of_users = slice(rows[0], rows[-1] + 1)
    of_targets, of_nopes = _pairs_of(task.targets, rows), _pairs_of(task.nopes, rows)
    for name, whole in vars(ranking).items():
        at = of_users if name.endswith("_UK") else of_targets if name.startswith("target") else of_nopes
        whole[at] = found[name]


@dataclass(frozen=True)
class _Ranker:
    task: RankingTask
    history: History
    score: Score
    k: int

    def block(self, rows: NDArray[np.int64]) -> Arrays:
        """Lists of consecutive rows, as the columns of a `Ranking`."""
        score_BC = self.score(rows).contiguous()
        targets, nopes = _block_of(self.task.targets, rows), _block_of(self.task.nopes, rows)
        target_score_T, nope_score_N = score_BC[targets], score_BC[nopes]
        score_BC.view(-1).index_fill_(0, torch.from_numpy(self._decided(rows)), -torch.inf)
        best_BK, top_BK = torch.topk(score_BC, self.k, dim=1)
        there_BK = torch.isfinite(best_BK)
        top_BK, best_BK = torch.where(there_BK, top_BK, PADDING), torch.where(there_BK, best_BK, -torch.inf)
        return {
            "top_UK": top_BK.numpy(),
            "score_UK": best_BK.numpy(),
            "target_rank_T": _ranks(top_BK, *targets).numpy(),
            "nope_rank_N": _ranks(top_BK, *nopes).numpy(),
            "target_score_T": target_score_T.numpy(),
            "nope_score_N": nope_score_N.numpy(),
        }

    def _decided(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat places in a block's scores of what its users are known to have decided on."""
        first = self.history.user_offsets[self.task.users[rows]]
        row, decision = ragged_positions(first, self.task.state_end[rows] - first)
        at = self._place[self.history.video[decision]]
        return row[at >= 0] * len(self.task.candidates) + at[at >= 0]

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        """[videos + 1] place of each video among the candidates; unknown videos (-1) read the last entry."""
        place = np.full(len(self.history.video_ids) + 1, PADDING, dtype=np.int64)
        place[self.task.candidates] = np.arange(len(self.task.candidates))
        return place


def _pairs_of(pairs: Pairs, rows: NDArray[np.int64]) -> slice:
    """Which pairs are of consecutive rows."""
    first, last = np.searchsorted(pairs.row, [rows[0], rows[-1] + 1])
    return slice(first, last)


def _block_of(pairs: Pairs, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Index of the pairs of consecutive rows in a block of scores."""
    of_rows = _pairs_of(pairs, rows)
    return torch.from_numpy(pairs.row[of_rows] - rows[0]), torch.from_numpy(pairs.place[of_rows])


def _ranks(top_BK: Tensor, row_T: Tensor, place_T: Tensor) -> Tensor:
    """Rank of some candidates in the lists of their rows, int64 [T]; −1 where one is not in it."""
    is_there_TK = top_BK[row_T] == place_T[:, None]
    rank_T = is_there_TK.to(torch.uint8).argmax(dim=1)
    return torch.where(is_there_TK.any(dim=1), rank_T, PADDING)

"""What is asked of a method: which users, as of when, what they later liked or refused, among which candidates.

Users are frozen: their state is a prefix of their decisions. Nothing is ranked here, and how a task is cut out of a
history is `trials`' part. Letters: U users, C candidates, T pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.features.history import LIKE, History


@dataclass(frozen=True)
class Pairs:
    """(user, candidate) pairs, by user."""

    row: NDArray[np.int64]
    """[T] row in the task's users, ascending."""
    place: NDArray[np.int64]
    """[T] place in the task's candidates."""

    def __len__(self) -> int:
        return len(self.row)

    def of_rows(self, chosen_U: NDArray[np.bool_]) -> Pairs:
        """Keep the pairs of some users, who are then counted anew."""
        new_row = np.cumsum(chosen_U) - 1
        kept = chosen_U[self.row]
        return Pairs(new_row[self.row[kept]], self.place[kept])


@dataclass(frozen=True)
class RankingTask:
    """Rank all candidates for each user as of a moment; what they decided afterwards is known."""

    candidates: NDArray[np.int32]
    """[C] videos, ascending."""
    users: NDArray[np.int32]
    """[U] users of the history with at least one target, ascending."""
    moment: NDArray[np.int64]
    """[U] when each user's vector is computed, microseconds since the epoch."""
    state_end: NDArray[np.int64]
    """[U] end of each user's decisions that are known."""
    has_history: NDArray[np.bool_]
    """[U] whether the user is known to have decided anything."""
    targets: Pairs
    """Later LIKEs."""
    nopes: Pairs
    """Later NOPEs of the same users."""
    left_out: Mapping[str, int]
    """Later LIKEs that are no targets, by reason."""

    @cached_property
    def relevant(self) -> NDArray[np.int64]:
        """[U] number of targets."""
        return np.bincount(self.targets.row, minlength=len(self.users))

    def part(self, chosen: NDArray[np.bool_]) -> RankingTask:
        """Return the same task for some of the users ([U] mask)."""
        return RankingTask(
            self.candidates,
            self.users[chosen],
            self.moment[chosen],
            self.state_end[chosen],
            self.has_history[chosen],
            self.targets.of_rows(chosen),
            self.nopes.of_rows(chosen),
            self.left_out,
        )


@dataclass(frozen=True)
class Later:
    """Decisions that come after a state: what a task asks for."""

    user: NDArray[np.integer]
    """[N] user of the history that the task speaks of, −1 when it has no such user."""
    video: NDArray[np.integer]
    """[N] video, −1 when unknown."""
    kind: NDArray[np.int8]
    """[N] LIKE, NOPE or OTHER."""


def make_task(
    history: History,
    later: Later,
    *,
    candidates: NDArray[np.int32],
    state_end: NDArray[np.int64],
    moment: NDArray[np.int64],
) -> RankingTask:
    """Collect the targets among some candidates.

    Args:
        history: of the users.
        later: what they decided afterwards.
        candidates: [C] videos to rank, ascending.
        state_end: [users of the history] end of each one's known decisions.
        moment: [users of the history] when each one's vector is computed.
    """
    place = np.full(len(history.video_ids) + 1, -1, dtype=np.int64)
    place[candidates] = np.arange(len(candidates))
    liked = (later.kind == LIKE) & (later.user >= 0)
    is_target = liked & (place[later.video] >= 0)
    users = np.unique(later.user[is_target]).astype(np.int32)
    row = np.full(len(history.user_ids) + 1, -1, dtype=np.int64)
    row[users] = np.arange(len(users))
    is_nope = (later.kind == -LIKE) & (row[later.user] >= 0) & (place[later.video] >= 0)
    return RankingTask(
        candidates=candidates,
        users=users,
        moment=moment[users],
        state_end=state_end[users],
        has_history=state_end[users] > history.user_offsets[users],
        targets=_pairs(row[later.user[is_target]], place[later.video[is_target]]),
        nopes=_pairs(row[later.user[is_nope]], place[later.video[is_nope]]),
        left_out=_reasons(history, later.video[liked & ~is_target]),
    )


def _pairs(row: NDArray[np.int64], place: NDArray[np.int64]) -> Pairs:
    order = np.lexsort((place, row))
    return Pairs(row[order], place[order])


def _reasons(history: History, video: NDArray[np.integer]) -> dict[str, int]:
    """Why LIKEs are no targets."""
    unknown = video < 0
    # an unknown video (-1) reads the entry appended
    inactive = ~np.append(history.active, True)[video]
    return {
        "unknown_video": int(unknown.sum()),
        "inactive_video": int(inactive.sum()),
        "no_candidate": int((~unknown & ~inactive).sum()),
    }

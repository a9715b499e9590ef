"""What is asked in a time window: which users, which targets, which candidates, and what was left out.

Users are frozen at the cut-off: their state is every decision strictly before it. Nothing is ranked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.features.history import LIKE, History
from two_tower_assets.training.data import TrainingData


@dataclass(frozen=True)
class RankingTask:
    """Rank all candidates for each user as of `since`, and find the LIKEs made from then until `until`."""

    since: int
    """The cut-off, microseconds since the epoch."""
    until: int
    candidates: NDArray[np.int32]
    """[C] the catalogue at the cut-off, ascending."""
    users: NDArray[np.int32]
    """[U] users with at least one target, ascending."""
    state_end: NDArray[np.int64]
    """[U] end of each user's decisions before the cut-off."""
    has_history: NDArray[np.bool_]
    """[U] whether the user decided anything before the cut-off."""
    target_row: NDArray[np.int64]
    """[T] row in `users` of each target, ascending."""
    target: NDArray[np.int64]
    """[T] place in `candidates` of each target."""
    left_out: Mapping[str, int]
    """LIKEs of the window that are no targets, by reason."""

    @cached_property
    def relevant(self) -> NDArray[np.int64]:
        """[U] number of targets."""
        return np.bincount(self.target_row, minlength=len(self.users))

    def part(self, chosen: NDArray[np.bool_]) -> RankingTask:
        """Return the same task for some of the users ([U] mask)."""
        new_row = np.cumsum(chosen) - 1
        kept = chosen[self.target_row]
        return RankingTask(
            self.since,
            self.until,
            self.candidates,
            self.users[chosen],
            self.state_end[chosen],
            self.has_history[chosen],
            new_row[self.target_row[kept]],
            self.target[kept],
            self.left_out,
        )


def ranking_task(data: TrainingData, until: int) -> RankingTask:
    """Collect the targets of the window [data.until, until), in microseconds, among the catalogue of its start."""
    history, since, candidates = data.history, data.until, data.catalogue
    place = np.full(len(history.video_ids) + 1, -1, dtype=np.int64)
    place[candidates] = np.arange(len(candidates))
    liked = np.flatnonzero((history.kind == LIKE) & (history.time >= since) & (history.time < until))
    video = history.video[liked]
    is_target = place[video] >= 0
    users, row = np.unique(history.user[liked[is_target]], return_inverse=True)
    state_end = history.prefix_at(users, since)
    return RankingTask(
        since=since,
        until=until,
        candidates=candidates,
        users=users.astype(np.int32),
        state_end=state_end,
        has_history=state_end > history.user_offsets[users],
        target_row=row.astype(np.int64),
        target=place[video[is_target]],
        left_out=_reasons(history, video[~is_target]),
    )


def _reasons(history: History, video: NDArray[np.int32]) -> dict[str, int]:
    """Why LIKEs are no targets."""
    unknown = video < 0
    # an unknown video (-1) reads the entry appended
    inactive = ~np.append(history.active, True)[video]
    return {
        "unknown_video": int(unknown.sum()),
        "inactive_video": int(inactive.sum()),
        "not_released_at_the_cutoff": int((~unknown & ~inactive).sum()),
    }

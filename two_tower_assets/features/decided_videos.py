"""Bags of the videos a user has liked, or NOPEd, at any moment of their past: the newest thousand, as in the RPC.

A user decides once on a video, so a bag of n known videos holds n times 1/√n and no counting is needed.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import MAX_VIDEO_IDS
from two_tower_assets.features.history import LIKE, History
from two_tower_assets.features.numerics import inverse_norms
from two_tower_assets.features.ragged import offsets_of, ragged_positions
from two_tower_assets.features.video_vocabulary import NO_SLOT

_READ_CELLS: Final = 256 * 1024
"""Cells written at once: places of a block are made while it stays in the processor's cache."""


class DecidedVideos:
    """Bag of the videos decided in one way for (user, end of past).

    Args:
        history: the decisions.
        kind: `history.LIKE` or `history.NOPE`.
        slots: int32 [V], place of each video of the history in the vocabulary, `NO_SLOT` when it has none.
        first_column: where the bag begins in a feature vector.
        newest: most decisions of the kind that count, the latest ones.
    """

    def __init__(
        self,
        history: History,
        kind: Literal[1, -1],
        slots: NDArray[np.int32],
        *,
        first_column: int,
        newest: int = MAX_VIDEO_IDS,
    ) -> None:
        self._first_column = first_column
        self._newest = newest
        self._before = history.likes_before if kind == LIKE else history.nopes_before
        self._first_of_user = self._before[history.user_offsets[:-1]]
        # Index −1, an unknown video, reads the slot at the end.
        slot = np.append(slots, np.int32(NO_SLOT))[history.video[_oldest_first(history, kind)]]
        known = slot != NO_SLOT
        self._known_before = offsets_of(known, np.int32)
        self._slots = slot[known]

    def write(self, user: NDArray[np.int32], prefix_end: NDArray[np.integer], out_BF: NDArray[np.float32]) -> None:
        """Write L2-normalised bags into their columns, all zeros before, of a C-contiguous float32 [B, F].

        Args:
            user: int [B], index in `history.user_ids`.
            prefix_end: int [B], end of the past that counts; decisions of one moment are never split by it.
            out_BF: the feature vectors.
        """
        end = self._before[prefix_end]
        begin = self._known_before[np.maximum(self._first_of_user[user], end - self._newest)]
        length = self._known_before[end] - begin
        value = inverse_norms(length.astype(np.float64)).astype(np.float32)
        rows = max(1, _READ_CELLS // self._newest)
        for start in range(0, len(user), rows):
            block = slice(start, start + rows)
            row, position = ragged_positions(begin[block], length[block])
            cell = row * out_BF.shape[1] + self._first_column + self._slots[position]
            out_BF[block].reshape(-1)[cell] = value[block][row]


def _oldest_first(history: History, kind: int) -> NDArray[np.int64]:
    """Positions of the decisions of a kind by user and time, those of one moment by descending id.

    The RPC orders by descending time, then ascending id, and keeps the first thousand: the last thousand here.
    """
    decisions = np.flatnonzero(history.kind == kind)
    # Decisions of one user and moment share the end of their past.
    return decisions[np.lexsort((-decisions, history.strictly_before[decisions]))]

"""Every decision of a snapshot as flat arrays, and where a user's past ends at any moment.

Nothing here knows a vocabulary or a feature. What a past is worth is in `user_numerics` and `liked_names`; examples
for training are drawn in the next stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from two_tower_assets.features.decision_columns import read_columns
from two_tower_assets.features.kinds import LIKE, NOPE, OTHER, decision_kind
from two_tower_assets.features.ragged import offsets_of
from two_tower_assets.features.times import as_microseconds
from two_tower_assets.sources.snapshot import DECISIONS_FILE, Snapshot

__all__ = ["LIKE", "NOPE", "OTHER", "History", "as_ids", "decision_kind"]


@dataclass(frozen=True, eq=False)
class History:
    """Decisions sorted by user, time and video; a user's past at a moment is a prefix of that user's rows.

    Times are int64 microseconds since the Unix epoch, UTC. U users, V videos, D decisions, fewer than 2³¹: what is
    kept for each is kept as int32.
    """

    user_ids: pl.Series
    """[U] text: users with at least one decision, sorted."""
    video_ids: NDArray[np.str_]
    """[V]: videos in the order of the snapshot; the row number is the video's index."""
    active: NDArray[np.bool_]
    """[V]"""
    released_at: NDArray[np.int64]
    """[V]: `product_released_at`, `MISSING_TIME` when null."""
    user_offsets: NDArray[np.int64]
    """[U + 1]: where each user's decisions begin, and the end."""
    video: NDArray[np.int32]
    """[D]: index of the decided video, −1 when there is no such video."""
    kind: NDArray[np.int8]
    """[D]: LIKE, NOPE or OTHER."""
    time: NDArray[np.int64]
    """[D]: `created_at`."""

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> History:
        """Read the decisions and videos of a snapshot; of the decisions only numbers are held, 13 bytes each."""
        videos = snapshot.videos().select("id", "is_active", "product_released_at").collect()
        found = read_columns(snapshot.folder / DECISIONS_FILE, videos["id"])
        return cls(
            user_ids=found.user_ids,
            video_ids=as_ids(videos["id"]),
            active=videos["is_active"].to_numpy(),
            released_at=as_microseconds(videos["product_released_at"]),
            user_offsets=offsets_of(found.user_rows),
            video=found.video,
            kind=found.kind,
            time=found.time,
        )

    @classmethod
    def from_frames(cls, decisions: pl.DataFrame, videos: pl.DataFrame) -> History:
        """Build from a snapshot's frames; decisions are sorted here unless they already are.

        Args:
            decisions: `user_id`, `video_id`, `decision_type` (str) and `created_at` (microseconds, UTC).
            videos: `id` (str), `is_active` (bool), `product_released_at` (microseconds, UTC, nullable).
        """
        rows = _sorted(decisions).with_columns(decision_kind())
        runs = rows["user_id"].rle().struct.unnest()
        index = videos.select(pl.col("id").alias("video_id"), pl.int_range(pl.len(), dtype=pl.Int32).alias("video"))
        video = rows.select("video_id").join(index, on="video_id", how="left", maintain_order="left")["video"]
        return cls(
            user_ids=runs["value"],
            video_ids=as_ids(videos["id"]),
            active=videos["is_active"].to_numpy(),
            released_at=as_microseconds(videos["product_released_at"]),
            user_offsets=np.concatenate(([0], np.cumsum(runs["len"].to_numpy(), dtype=np.int64))),
            video=video.fill_null(-1).to_numpy(),
            kind=rows["kind"].to_numpy(),
            time=as_microseconds(rows["created_at"]),
        )

    @cached_property
    def user(self) -> NDArray[np.int32]:
        """int32 [D]: index of the user who decided."""
        return np.repeat(np.arange(len(self.user_ids), dtype=np.int32), np.diff(self.user_offsets))

    @cached_property
    def strictly_before(self) -> NDArray[np.int32]:
        """int32 [D]: end of the user's past at decision d, d and those of the same moment not included."""
        goes_on = np.zeros(len(self.time), dtype=np.bool_)
        np.equal(self.time[1:], self.time[:-1], out=goes_on[1:])
        goes_on[self.user_offsets[:-1]] = False
        end = np.arange(len(self.time), dtype=np.int32)
        end[goes_on] = 0
        return np.maximum.accumulate(end, out=end)

    @cached_property
    def liked(self) -> NDArray[np.int32]:
        """int32 [L]: positions of all LIKEs."""
        return np.flatnonzero(self.kind == LIKE).astype(np.int32)

    @cached_property
    def likes_before(self) -> NDArray[np.int32]:
        """int32 [D + 1]: LIKEs among the first d decisions of all users together."""
        return offsets_of(self.kind == LIKE, np.int32)

    @cached_property
    def nopes_before(self) -> NDArray[np.int32]:
        """int32 [D + 1]: NOPEs among the first d decisions of all users together."""
        return offsets_of(self.kind == NOPE, np.int32)

    def examples(self, *, before: int | None = None) -> NDArray[np.int32]:
        """Training examples: int32 positions of all LIKEs of known, active videos (earlier than `before`)."""
        # Index −1, an unknown video, reads the entry at the end.
        chosen = np.append(self.active, False)[self.video]
        chosen &= self.kind == LIKE
        if before is not None:
            chosen &= self.time < before
        return np.flatnonzero(chosen).astype(np.int32)

    def decided_videos(self, until: int) -> NDArray[np.bool_]:
        """[V] whether anybody decided on each before `until`, microseconds."""
        # Index −1, an unknown video, writes the entry at the end.
        decided = np.zeros(len(self.video_ids) + 1, dtype=np.bool_)
        decided[self.video[self.time < until]] = True
        return decided[:-1]

    def prefix_at(self, user: ArrayLike, time: ArrayLike) -> NDArray[np.int64]:
        """Where the past of each user ends at each moment: the position after the last decision earlier than it.

        Args:
            user: int [B], index of the user.
            time: int64 [B] or one moment for all, microseconds.

        Returns:
            int64 [B], absolute positions in `time`, between the user's two offsets.
        """
        users, moments = np.broadcast_arrays(np.asarray(user), np.asarray(time, dtype=np.int64))
        low: NDArray[np.int64] = self.user_offsets[users]
        high: NDArray[np.int64] = self.user_offsets[users + 1]
        # One bisection for all rows at once; its number of rounds is set by the longest history.
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            searching = low < high
            middle = (low + high) >> 1
            earlier = searching & (self.time[np.where(searching, middle, 0)] < moments)
            low = np.where(earlier, middle + 1, low)
            high = np.where(searching & ~earlier, middle, high)
        return low


def as_ids(names: pl.Series) -> NDArray[np.str_]:
    """Strings as a numpy array of fixed-width strings."""
    return np.array(names.to_list(), dtype=np.str_)


def _sorted(decisions: pl.DataFrame) -> pl.DataFrame:
    by = ["user_id", "created_at", "video_id"]
    return decisions if _in_order(decisions, by) else decisions.sort(by)


def _in_order(rows: pl.DataFrame, by: list[str]) -> bool:
    """Whether no row is smaller than the one before it, the first column counting most."""
    in_order = pl.lit(value=True)
    for name in reversed(by):
        before = pl.col(name).shift(1)
        in_order = (pl.col(name) > before) | ((pl.col(name) == before) & in_order)
    return bool(rows.select(in_order.slice(1).all()).item())

"""User feature vectors at any moment of any user's past, in bulk: what serving would have seen then.

Vectors are made for the rows asked for, in any order; a matrix of all examples never exists.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.decided_videos import DecidedVideos
from two_tower_assets.features.history import LIKE, NOPE, History
from two_tower_assets.features.liked_names import LikedNames
from two_tower_assets.features.names import name_columns
from two_tower_assets.features.numerics import user_dense
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.user_numerics import UserNumerics
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.sources.snapshot import Snapshot


class UserStates:
    """Feature vectors of (user, end of past, moment).

    Args:
        history: the decisions.
        videos: the snapshot's videos, in its order: `price`, `tags`, `performers`.
        profiles: `user_id`, `created_at`.
        space: vocabularies and scales.
    """

    def __init__(
        self, history: History, *, videos: pl.DataFrame, profiles: pl.DataFrame, space: FeatureSpace
    ) -> None:
        self.history = history
        self.space = space
        self._videos, self._profiles = videos, profiles

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, history: History, space: FeatureSpace) -> UserStates:
        """Build from a snapshot and the history read from it."""
        videos = snapshot.videos().select("price", "tags", "performers").collect()
        return cls(history, videos=videos, profiles=snapshot.profiles().collect(), space=space)

    # Each is built when it is first read from: what only counts decisions, as popularity does, never pays for them.
    @cached_property
    def _numerics(self) -> UserNumerics:
        return UserNumerics(self.history, videos=self._videos, profiles=self._profiles)

    @cached_property
    def _liked_names(self) -> LikedNames:
        return LikedNames(
            self.history,
            name_columns(self._videos, self.space.item_bags),
            segments=(len(self.space.tags), len(self.space.performers)),
            first_column=self.space.user_dense_dim,
        )

    @cached_property
    def _decided_videos(self) -> tuple[DecidedVideos, ...]:
        return _decided_videos(self.history, self.space) if self.space.videos else ()

    def numeric(
        self, user: NDArray[np.int32], prefix_end: NDArray[np.integer], time: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Raw numerics: float64 [B, 9], the contract's 8 ‖ average like hour; arguments as in `vectors`."""
        return self._numerics.numeric(user, prefix_end, time)

    def vectors(
        self,
        user: NDArray[np.int32],
        prefix_end: NDArray[np.integer],
        time: NDArray[np.int64],
        *,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Feature vectors: float32 [B, space.user_dim].

        Args:
            user: int [B], index in `history.user_ids`.
            prefix_end: int [B], end of the past that counts: `history.strictly_before[d]` for decision d, or
                `history.prefix_at(user, time)` for any moment.
            time: int64 [B], the moment, microseconds since the Unix epoch, UTC.
            out: where to write, C-contiguous; spares the allocation of a new array for every batch.
        """
        features_BF = self._cleared(len(user), out)
        assert features_BF.shape == (len(user), self.space.user_dim)
        assert features_BF.flags.c_contiguous
        raw = self._numerics.numeric(user, prefix_end, time)
        features_BF[:, : self.space.user_dense_dim] = user_dense(raw, self.space.user_numeric)
        self._liked_names.write(user, prefix_end, features_BF)
        for videos in self._decided_videos:
            videos.write(user, prefix_end, features_BF)
        return features_BF

    def of_decisions(self, decisions: NDArray[np.integer]) -> NDArray[np.float32]:
        """Vectors just before the given decisions (positions in the history), as seen at their moments."""
        history = self.history
        return self.vectors(history.user[decisions], history.strictly_before[decisions], history.time[decisions])

    def _cleared(self, rows: int, out: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Return where to write: zeros in the columns of videos, anything in those that are written as a whole."""
        if out is None:
            make = np.zeros if self._decided_videos else np.empty
            return make((rows, self.space.user_dim), dtype=np.float32)
        out[:, self.space.user_dense_dim + self.space.bag_dim :] = 0
        return out


def _decided_videos(history: History, space: FeatureSpace) -> tuple[DecidedVideos, ...]:
    """Bags of liked and of NOPEd videos, in the order of their columns."""
    slots, first = video_slots(history.video_ids, space), space.user_dense_dim + space.bag_dim
    return (
        DecidedVideos(history, LIKE, slots, first_column=first),
        DecidedVideos(history, NOPE, slots, first_column=first + len(space.videos)),
    )

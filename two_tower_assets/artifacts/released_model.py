"""A released version as its users meet it, asked from its files: the ONNX user tower, and a vector of every video.

Videos that came after the version are embedded by its item tower, as they are between two releases. What does not
live here: which version is live, and the vector search.
Letters in tensor names: B users of a block, C candidates, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.artifacts.video_model import VideoModel
from two_tower_assets.contract import Files
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.raw import RAW_ITEMS
from two_tower_assets.sources.snapshot import Snapshot


@dataclass(frozen=True)
class ReleasedModel:
    """Both sides of one version."""

    users: ModelFolder
    videos: VideoModel
    vectors: Mapping[str, NDArray[np.float32]]
    """Vector [256] of each video that the version was released with."""

    @classmethod
    def open(cls, folder: Path) -> ReleasedModel:
        """Read a version's folder.

        Raises:
            ArtifactError: a file is missing or damaged, or does not belong to the version.
        """
        vectors = {
            video: vector
            for ids, block in read_blocks(folder / Files.VIDEO_EMBEDDINGS)
            for video, vector in zip(ids.tolist(), block, strict=True)
        }
        return cls(ModelFolder.open(folder), VideoModel.open(folder), vectors)

    @property
    def model_version(self) -> str:
        """Which version it is."""
        return self.videos.model_version

    def embed_videos(self, items: pl.DataFrame) -> NDArray[np.float32]:
        """Return unit vectors float32 [C, 256] of videos (`features.raw.RAW_ITEMS`), in their order.

        A video that the version was released without counts as new to it.
        """
        later = ~items["id"].is_in(list(self.vectors))
        came = items.filter(later)
        embedded = self.videos.embed(came, {}) if came.height else np.empty((0, 0), np.float32)
        vectors = {**self.vectors, **dict(zip(came["id"].to_list(), embedded, strict=True))}
        return np.stack([vectors[video] for video in items["id"].to_list()])

    def scores(self, snapshot: Snapshot, history: History, task: RankingTask) -> Score:
        """Cosines of both towers; user vectors are as of each user's moment.

        Args:
            snapshot: videos and profiles.
            history: its decisions.
            task: whom to answer, and among which videos.
        """
        states = UserStates.from_snapshot(snapshot, history, self.videos.space)
        items = snapshot.videos().select(list(RAW_ITEMS)).collect()[task.candidates.tolist()]
        items_CD = torch.from_numpy(self.embed_videos(items))

        def score(rows: NDArray[np.int64]) -> Tensor:
            features_BF = states.vectors(task.users[rows], task.state_end[rows], task.moment[rows])
            return torch.from_numpy(self.users.embed(features_BF)) @ items_CD.T

        return score

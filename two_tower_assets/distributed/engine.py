"""The engine whose work is done by the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.distributed.ray_fit import ray_fit
from two_tower_assets.distributed.replica import Task
from two_tower_assets.distributed.shards import ray_blocks
from two_tower_assets.settings import ModelSettings, RaySettings, TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.engine import Arrays, Block
from two_tower_assets.training.trainer import Fit, Validate, Watch, unwatched


@dataclass(frozen=True)
class RayEngine:
    """Fits by Ray Train, blocks by Ray Data."""

    settings: RaySettings
    folder: Path
    """Seen by all workers; holds what is kept while work goes on."""
    salt: str
    """Version of the code: what another one kept is not used."""

    def fit(
        self,
        data: TrainingData,
        model_settings: ModelSettings,
        settings: TrainingSettings,
        *,
        steps: int,
        validate: Validate | None = None,
        watch: Watch = unwatched,
    ) -> Fit:
        """Fit the towers; see `ray_fit`."""
        task = Task(data, model_settings, settings, steps, validate)
        return ray_fit(task, self.settings, self.folder / "fits", salt=self.salt, watch=watch)

    def blocks(self, compute: Callable[[Block], Arrays], blocks: Sequence[Block]) -> Iterator[Arrays]:
        """Compute blocks; see `ray_blocks`."""
        return ray_blocks(compute, blocks, self.settings, self.folder / "shards", salt=self.salt)

"""What long work runs on: one process, or workers elsewhere that are given the same work.

What does not live here: workers (`distributed`), and which engine a run uses (`defs.engine`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.trainer import CPU, Fit, Validate, Watch, fit, unwatched

Arrays = Mapping[str, NDArray[Any]]
Block = NDArray[np.int64]
"""Positions of some rows."""


class Engine(Protocol):
    """Fits towers, and computes what falls into independent blocks of rows."""

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
        """Fit the towers, as `training.trainer.fit` does."""
        ...

    def blocks(self, compute: Callable[[Block], Arrays], blocks: Sequence[Block]) -> Iterator[Arrays]:
        """Yield what `compute` makes of each block, in their order.

        Args:
            compute: depends on the block and on what it holds itself, and on nothing else.
            blocks: the rows.
        """
        ...


@dataclass(frozen=True)
class LocalEngine:
    """This process.

    Args:
        device: where fits take their steps; blocks are computed by the processors.
    """

    device: torch.device = CPU

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
        """See `training.trainer.fit`."""
        return fit(data, model_settings, settings, steps=steps, validate=validate, watch=watch, device=self.device)

    def blocks(self, compute: Callable[[Block], Arrays], blocks: Sequence[Block]) -> Iterator[Arrays]:
        """Compute one block after another, each when it is asked for."""
        return map(compute, blocks)


LOCAL: Final = LocalEngine()

"""Blocks of rows computed by Ray Data, a file each, so that what was finished is not computed again."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
import torch
from safetensors.numpy import load_file, save_file

from two_tower_assets.distributed.cluster import join_cluster
from two_tower_assets.distributed.content import content_hash
from two_tower_assets.home import replacing
from two_tower_assets.settings import RaySettings
from two_tower_assets.training.engine import Arrays, Block

Compute = Callable[[Block], Arrays]


def ray_blocks(
    compute: Compute, blocks: Sequence[Block], settings: RaySettings, folder: Path, *, salt: str
) -> Iterator[Arrays]:
    """Yield what `compute` makes of each block, in their order.

    Every block is a file named by what it is made of, and appears whole; those that are there already, from a run
    that was broken off, are read. All are deleted once they were yielded.

    Args:
        compute: given to all workers.
        blocks: the rows.
        settings: the workers.
        folder: seen by all of them.
        salt: whatever else decides what is made, such as the version of the code.
    """
    shelf = folder / content_hash(compute, salt)
    shelf.mkdir(parents=True, exist_ok=True)
    paths = [shelf / f"{content_hash(block)}.safetensors" for block in blocks]
    missing = [(block, path) for block, path in zip(blocks, paths, strict=True) if not path.exists()]
    if missing:
        _compute_all(compute, missing, settings)
    for path in paths:
        yield load_file(path)
    shutil.rmtree(shelf, ignore_errors=True)


def _compute_all(compute: Compute, missing: Sequence[tuple[Block, Path]], settings: RaySettings) -> None:
    join_cluster(settings)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    numbers = [{"number": number} for number in range(len(missing))]
    # Inside a list, so that Ray hands the reference on and every worker reads it by itself.
    shared = [ray.put((compute, missing))]
    ray.data.from_items(numbers, override_num_blocks=len(numbers)).map_batches(
        ShardWorker,
        fn_constructor_args=(shared,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(settings.workers, len(missing))),
        num_cpus=settings.cpus_per_worker,
    ).materialize()


class ShardWorker:
    """Holds the work, with its model, and writes the shards that it is asked for."""

    def __init__(self, shared: list[Any]) -> None:
        self._compute, self._missing = ray.get(shared[0])
        torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Write one shard, atomically; by then another attempt may have written it."""
        (number,) = batch["number"]
        block, path = self._missing[number]
        if not path.exists():
            made = {name: np.ascontiguousarray(values) for name, values in self._compute(block).items()}
            with replacing(path) as temporary:
                save_file(made, temporary)
        return {"number": batch["number"]}

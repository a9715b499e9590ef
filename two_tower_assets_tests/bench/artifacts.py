"""Item vectors to `video_embeddings.parquet`: beside plain matrix multiplication, and beside not writing a file."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from two_tower_assets.artifacts.embeddings import embed_items, write_video_embeddings
from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.towers import ITEM_NUMERIC_WIDTH, Tower
from two_tower_assets_tests.artifacts.versions import feature_space, items
from two_tower_assets_tests.bench.report import Line

VIDEOS = 50_000
TAGS, PERFORMERS = 512, 256
BLOCK = 4096
REPEATS = 7


def measure() -> Iterator[Line]:
    """Yield the rate against torch.matmul on the same shapes, and what the file costs on top of computing."""
    space = feature_space(TAGS, PERFORMERS)
    settings = ModelSettings()
    torch.manual_seed(0)
    tower = Tower(space.item_dim, ITEM_NUMERIC_WIDTH, settings).eval()
    matrix = items(space, VIDEOS)
    widths = (space.item_dim, *settings.hidden, EMBEDDING_DIM)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video_embeddings.parquet"
        floor, written, computed = _fastest(
            lambda: _matmul(widths),
            lambda: write_video_embeddings(path, tower, matrix, np.ones(VIDEOS, np.bool_)),
            lambda: _embed(tower, matrix),
        )
    flops = 2 * VIDEOS * sum(a * b for a, b in pairwise(widths))
    what = f"{VIDEOS} item vectors of {space.item_dim} to embeddings"
    yield Line(
        stage="artifacts",
        what=f"{what} in a parquet file",
        figure=f"{flops / written / 1e9:.0f} GFLOP/s",
        against=f"torch.matmul, same shapes: {flops / floor / 1e9:.0f} GFLOP/s",
        ratio=floor / written,
        target=">= 0.5 x",
        met=floor / written >= 0.5,
    )
    yield Line(
        stage="artifacts",
        what=f"{what}, the file written meanwhile",
        figure=f"{written:.2f} s",
        against=f"computing alone: {computed:.2f} s",
        ratio=written / computed,
        target="<= 1.5 x",
        met=written / computed <= 1.5,
    )


def _matmul(widths: tuple[int, ...]) -> None:
    weights = [torch.ones(a, b) for a, b in pairwise(widths)]
    for start in range(0, VIDEOS, BLOCK):
        values = torch.ones(min(BLOCK, VIDEOS - start), widths[0])
        for weight in weights:
            values = torch.matmul(values, weight)


def _embed(tower: Tower, matrix: FeatureMatrix) -> None:
    for start in range(0, VIDEOS, BLOCK):
        embed_items(tower, matrix.rows(slice(start, start + BLOCK)))


def _fastest(*works: Callable[[], object]) -> list[float]:
    """Seconds of each, the best of several turns taken in alternation, so that a busy moment hits all alike."""
    best = [float("inf")] * len(works)
    for _ in range(REPEATS):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[number] = min(best[number], time.perf_counter() - start)
    return best

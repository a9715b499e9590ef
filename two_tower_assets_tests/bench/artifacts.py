"""Item vectors to `video_embeddings.parquet`: beside plain matrix multiplication, and beside not writing a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from two_tower_assets.artifacts.embeddings import VideoInputs, embed_items, write_video_embeddings
from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.towers import ItemTower, head_sizes
from two_tower_assets_tests.artifacts.versions import feature_space, items, video_inputs
from two_tower_assets_tests.bench.cost import in_turns, measured
from two_tower_assets_tests.bench.report import Line, Moved

VIDEOS = 50_000
TAGS, PERFORMERS = 512, 256
BLOCK = 4096
REPEATS = 7
TARGET = 0.6
ONE_BY_ONE = 1000
"""Videos of the naive way."""


def measure() -> Iterator[Line]:
    """Yield the rate against torch.matmul on the same shapes, and what the file costs on top of computing."""
    space = feature_space(TAGS, PERFORMERS)
    settings = ModelSettings()
    torch.manual_seed(0)
    tower = ItemTower(space.item_dim, 0, settings).eval()
    inputs = video_inputs(items(space, VIDEOS), space)
    *heads, taste, _ = head_sizes(settings, hybrid=False)
    products = [pair for size in (*heads, taste) for pair in pairwise((space.item_dim, *settings.hidden, size))]
    naive = _seconds_a_row(tower, inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video_embeddings.parquet"
        bare, writing, computing = in_turns(
            lambda: _matmul(products),
            lambda: write_video_embeddings(path, tower, inputs, np.ones(VIDEOS, np.bool_)),
            lambda: _embed(tower, inputs),
            turns=REPEATS,
        )
        size = path.stat().st_size
    floor, written, computed = bare.seconds, writing.seconds, computing.seconds
    flops = 2 * VIDEOS * sum(a * b for a, b in products)
    what = f"{VIDEOS} item vectors of {space.item_dim} to embeddings"
    yield Line(
        stage="artifacts",
        what=f"{what} in a parquet file",
        figure=f"{flops / written / 1e9:.0f} GFLOP/s",
        against=f"torch.matmul, same shapes: {flops / floor / 1e9:.0f} GFLOP/s",
        ratio=floor / written,
        target=f">= {TARGET} x",
        met=floor / written >= TARGET,
        seconds=written,
        peak_mib=writing.grown_mib,
        moved=Moved(flops, "operations"),
    )
    yield Line(
        stage="artifacts",
        what=f"{what}, the file written meanwhile",
        figure=f"{written:.2f} s",
        against=f"computing alone: {computed:.2f} s",
        ratio=written / computed,
        target="<= 1.5 x",
        met=written / computed <= 1.5,
        seconds=written,
        peak_mib=writing.grown_mib,
        moved=Moved(size, "bytes"),
    )
    yield Line(
        stage="artifacts",
        what=f"{what}, against one video a forward pass",
        figure=f"{VIDEOS / written:,.0f} videos/s, written",
        against=f"one by one, not written: {1 / naive:,.0f} videos/s",
        ratio=naive * VIDEOS / written,
        target=">= 10 x",
        met=naive * VIDEOS / written >= 10,
        seconds=written,
        peak_mib=writing.grown_mib,
        moved=Moved(VIDEOS, "rows"),
    )


def _seconds_a_row(tower: ItemTower, inputs: VideoInputs) -> float:
    with measured() as cost:
        for row in range(ONE_BY_ONE):
            embed_items(tower, inputs, np.array([row]))
    return cost.seconds / ONE_BY_ONE


def _matmul(products: list[tuple[int, int]]) -> None:
    operands = [(torch.ones(BLOCK, a), torch.ones(a, b)) for a, b in products]
    for start in range(0, VIDEOS, BLOCK):
        rows = min(BLOCK, VIDEOS - start)
        for values, weight in operands:
            torch.matmul(values[:rows], weight)


def _embed(tower: ItemTower, inputs: VideoInputs) -> None:
    for start in range(0, VIDEOS, BLOCK):
        embed_items(tower, inputs, np.arange(start, min(start + BLOCK, VIDEOS)))

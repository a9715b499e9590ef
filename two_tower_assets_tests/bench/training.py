"""How much of the machine's matrix-multiply rate a training step reaches, batches and optimiser included."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import torch

from two_tower_assets.features.sparse_rows import SparseRows
from two_tower_assets.settings import EvaluationSettings, FeatureSettings, ModelSettings, TrainingSettings
from two_tower_assets.training.data import TrainingData, training_data
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.objective import Inputs
from two_tower_assets.training.sampler import Batch, Sampler
from two_tower_assets.training.stepping import all_heads_at_once, heads_side_by_side
from two_tower_assets.training.towers import head_sizes
from two_tower_assets.training.trainer import CPU, StepReport, fit, new_model
from two_tower_assets_tests.bench.cost import Cost, in_turns, measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.features.worlds import large_world

_STEPS: Final = 40
_WARM_UP: Final = 5
_TURNS: Final = 3
_TARGET: Final = 0.6

_Product = tuple[int, int, int]
"""Rows, inner dimension and columns of one matrix product."""


def measure() -> Iterator[Line]:
    """Yield a line, and another for a card: FLOP/s of whole training steps against those of the bare products."""
    devices = [CPU, *([torch.device("cuda")] if torch.cuda.is_available() else [])]
    with tempfile.TemporaryDirectory() as folder:
        data = _data(Path(folder))
        for device in devices:
            yield _line(data, device)
        yield _side_by_side(data)


def _line(data: TrainingData, device: torch.device) -> Line:
    settings = TrainingSettings()
    products = step_products(Sampler(data, settings).batch(0), ModelSettings())
    flops = sum(2 * rows * inner * columns for rows, inner, columns in products)
    before = _seconds_of_products(products, device)
    fitted = _step(data, settings, device)
    step = fitted.seconds
    bare = statistics.mean([before, _seconds_of_products(products, device)])
    where = "" if device == CPU else f" on {torch.cuda.get_device_name(device)}"
    return Line(
        stage="training",
        what=(
            f"step of {settings.batch_size} examples{where}, {flops / 1e9:.1f} GFLOP as dense products, "
            "batch and optimiser included"
        ),
        figure=f"{flops / step / 1e9:.0f} GFLOP/s",
        against=f"torch.matmul on the same shapes: {flops / bare / 1e9:.0f} GFLOP/s",
        ratio=bare / step,
        target=f">= {_TARGET} x",
        met=bare / step >= _TARGET,
        seconds=step,
        peak_mib=fitted.grown_mib,
        moved=Moved(flops, "operations"),
    )


def _side_by_side(data: TrainingData) -> Line:
    """Steps of heads side by side against steps of all at once, in turns."""
    settings = TrainingSettings()
    apart, together = in_turns(
        lambda: _take(data, settings, partial(heads_side_by_side, pause_every=_STEPS)),
        lambda: _take(data, settings, all_heads_at_once),
        turns=_TURNS,
        warm_up=1,
    )
    return Line(
        stage="training",
        what=f"step of {settings.batch_size} examples, heads side by side on {torch.get_num_threads()} threads",
        figure=f"{apart.seconds / _STEPS * 1e3:.1f} ms",
        against=f"all heads at once on as many: {together.seconds / _STEPS * 1e3:.1f} ms",
        ratio=apart.seconds / together.seconds,
        target="<= 1.0 x",
        met=apart.seconds <= together.seconds,
        seconds=apart.seconds / _STEPS,
        peak_mib=apart.grown_mib,
        moved=Moved(settings.batch_size, "rows"),
    )


def _take(data: TrainingData, settings: TrainingSettings, way: Callable[..., Iterator[float]]) -> None:
    sampler, model = Sampler(data, settings), new_model(data, ModelSettings(), settings)
    for _ in way(model, settings, _STEPS, lambda step: Inputs.of(sampler.batch(step), CPU)):
        pass


def step_products(batch: Batch, settings: ModelSettings) -> list[_Product]:
    """All matrix products of a step: per head and layer forward, to its weights and, after the first, its input.

    As if all were dense: of bags that hold few words the step adds up the weights that are there.
    """
    users = batch.users
    width = users.width if isinstance(users, SparseRows) else users.shape[1]
    rows, items, candidates = len(users), len(batch.items_M), len(batch.log_inclusion_U)
    *retrieval, taste, _ = head_sizes(settings, hybrid=False)
    products: list[_Product] = []
    for size in (*retrieval, taste):
        products += _head(rows, width, size, settings)
        products += _head(items, batch.items_M.width, size, settings)
    for size in retrieval:
        products += [(rows, size, candidates), (rows, candidates, size), (candidates, rows, size)]
    return products


def _head(rows: int, width: int, size: int, settings: ModelSettings) -> Iterator[_Product]:
    for layer, (inner, columns) in enumerate(itertools.pairwise([width, *settings.hidden, size])):
        yield rows, inner, columns
        yield inner, rows, columns
        if layer:
            yield rows, columns, inner


def _data(folder: Path) -> TrainingData:
    place = large_world(users=5000, videos=5000, decisions=200_000)
    examples = find_examples(place.history, EvaluationSettings())
    return training_data(place.snapshot(folder), place.history, examples, place.space(FeatureSettings()))


def _step(data: TrainingData, settings: TrainingSettings, device: torch.device) -> Cost:
    """Seconds of a step, and the memory of all."""
    moments: list[float] = []

    def watch(report: StepReport) -> None:
        del report
        moments.append(time.perf_counter())

    with measured() as cost:
        fit(data, ModelSettings(), settings, steps=_STEPS, watch=watch, device=device)
    seconds = (moments[-1] - moments[_WARM_UP]) / (len(moments) - 1 - _WARM_UP)
    return dataclasses.replace(cost, seconds=seconds)


def _seconds_of_products(products: list[_Product], device: torch.device) -> float:
    operands = [
        tuple(torch.randn(shape, device=device) for shape in ((rows, inner), (inner, columns), (rows, columns)))
        for rows, inner, columns in products
    ]

    def once() -> None:
        for left, right, out in operands:
            torch.matmul(left, right, out=out)
        if device != CPU:
            torch.cuda.synchronize(device)

    (cost,) = in_turns(once, turns=15, warm_up=1, of=statistics.median)
    return cost.seconds

"""What profiles led to, each beside the way that it was before; `infra/docs/profiling.md` tells the whole story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import torch

from two_tower_assets.evaluation.baselines.threads import one_blas_thread
from two_tower_assets.evaluation.bootstrap import Resampling
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.dropout import Dropout
from two_tower_assets.training.first_layer import first_layer
from two_tower_assets.training.heads import ContentHead
from two_tower_assets.training.towers import USER_NUMERIC_WIDTH
from two_tower_assets_tests.bench.cost import in_turns
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.training.sparse import sparse

ROWS: Final = TrainingSettings().batch_size
WIDTH: Final = 777
"""Of a user's features: 512 tags and 256 performers among them."""
SIZE: Final = 256
VIDEOS, WORDS, BAGS = 1300, 14, 768
"""Videos encoded in a step of the default settings, and what a made-up one has of 512 tags and 256 performers."""
WORDS_OF_USERS: Final = 55
"""What a made-up user's bags hold on average, of thirty decisions."""
HEADS: Final = ModelSettings().heads + 1
METHODS, METRICS, USERS = 8, 15, 2000
TURNS: Final = 100
"""Of what takes milliseconds."""
LONG_TURNS: Final = 10


def measure() -> Iterator[Line]:
    """Yield a line for each, beside the way before: on one thread, so that work is compared and no waiting."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield _bags()
            yield _thin_bags("videos", VIDEOS, WORDS)
            yield _thin_bags("users", ROWS, WORDS_OF_USERS)
            yield from [_dropout(), _resamples()]
    finally:
        torch.set_num_threads(threads)


def _bags() -> Line:
    """Forward and backward of a head, its first layer with and without the gradient of what was put in."""
    head = ContentHead(WIDTH, USER_NUMERIC_WIDTH, SIZE, ModelSettings()).train()
    rows_BF = torch.rand(ROWS, WIDTH)
    numeric_BN, bags_BT = rows_BF[:, :USER_NUMERIC_WIDTH], rows_BF[:, USER_NUMERIC_WIDTH:]

    def before() -> None:
        head.layers(torch.cat([head.squash(numeric_BN), bags_BT], dim=1)).sum().backward()

    what = f"head of {ROWS} x {WIDTH}, forward and backward, no gradient of bags"
    return _line(what, ROWS, lambda: head(rows_BF).sum().backward(), "the gradient of all that goes in", before)


def _thin_bags(whose: str, rows: int, words: int) -> Line:
    """Forward and backward of the first layers of a step, with and without the zeros of bags."""
    random = np.random.default_rng(0)
    bags = np.zeros((rows, BAGS), dtype=np.float32)
    bags[:, :words] = 1.0
    bags_BT = torch.from_numpy(random.permuted(bags, axis=1))
    no_numerics, no_bias = torch.zeros(rows, 0), torch.zeros(SIZE)
    without_zeros = sparse(no_numerics, bags_BT)
    weights = [torch.rand(SIZE, BAGS, requires_grad=True) for _ in range(HEADS)]

    def now() -> None:
        layers = [first_layer(no_numerics, without_zeros, weight, no_bias) for weight in weights]
        torch.stack(layers).sum().backward()

    def before() -> None:
        torch.stack([torch.nn.functional.linear(bags_BT, weight) for weight in weights]).sum().backward()

    what = f"first layers of {rows} {whose} with {words} of {BAGS} words, forward and backward, no zeros"
    return _line(what, rows, now, "dense products", before)


def _dropout() -> Line:
    hidden_BF, ours, torchs = torch.rand(ROWS, SIZE), Dropout(0.1), torch.nn.Dropout(0.1)
    what = f"dropout of {ROWS} x {SIZE}, four elements a random number"
    return _line(what, ROWS, lambda: ours(hidden_BF), "torch's, one each", lambda: torchs(hidden_BF))


def _resamples() -> Line:
    random = np.random.default_rng(0)
    of_method = [{f"{method}.{n}": random.random(USERS) for n in range(METRICS)} for method in range(METHODS)]
    columns = {name: value_U for values in of_method for name, value_U in values.items()}

    def before() -> None:
        for values in of_method:
            Resampling(USERS).means(values)

    what = f"intervals of {METHODS} methods x {METRICS} metrics of {USERS} users, resamples drawn once"
    return _line(
        what,
        len(columns) * USERS,
        lambda: Resampling(USERS).means(columns),
        "drawn for each method",
        before,
        turns=LONG_TURNS,
    )


def _line(
    what: str, rows: int, now: Callable[[], object], other: str, before: Callable[[], object], *, turns: int = TURNS
) -> Line:
    done, was = in_turns(now, before, turns=turns, warm_up=1)
    ratio = done.seconds / was.seconds
    return Line(
        stage="profiled",
        what=what,
        figure=f"{1000 * done.seconds:.2f} ms",
        against=f"{other}: {1000 * was.seconds:.2f} ms",
        ratio=ratio,
        target="< 1.0 x",
        met=ratio < 1,
        seconds=done.seconds,
        peak_mib=done.grown_mib,
        moved=Moved(rows, "rows"),
    )

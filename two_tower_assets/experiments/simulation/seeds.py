"""Random numbers of simulated experiments: the same in every run, and of their own for each experiment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def generators(seed: int, count: int) -> Iterator[np.random.Generator]:
    """Yield one for each of so many experiments; `seed` tells the questions apart."""
    return (np.random.default_rng((seed, number)) for number in range(count))

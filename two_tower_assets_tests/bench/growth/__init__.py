"""How time and memory of every stage grow with the number of decisions, each stage in a process of its own.

The catalogues are those of `bench.catalogue`. What a stage does is in `stages`, its process in `child`, the exponents
in `fitting`, one size after another in `measuring`, the picture in `picture`. `python -m
two_tower_assets_tests.bench.growth --sizes 1e4,1e7` measures at other sizes than `make bench` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from two_tower_assets_tests.bench.growth.fitting import lines_of
from two_tower_assets_tests.bench.growth.measuring import grow
from two_tower_assets_tests.bench.growth.stages import STAGES
from two_tower_assets_tests.bench.report import Line

SIZES: Final = (10_000, 100_000, 1_000_000)


def measure() -> Iterator[Line]:
    """Yield a line a stage: the exponents of time and memory, and the peak at the largest size."""
    with tempfile.TemporaryDirectory() as folder:
        yield from lines_of(grow(Path(folder), SIZES, tuple(STAGES)))

"""Exponents of growth, from what each stage took at each size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from two_tower_assets.settings import ResourcesSettings
from two_tower_assets_tests.bench.growth.child import Cost
from two_tower_assets_tests.bench.report import Line, Moved

LARGEST_EXPONENT: Final = 1.1
"""Of time."""
MEMORY_MIB: Final = ResourcesSettings().memory_limit_mib
"""Bound of the resident memory of a process, at every size."""
_LEAST_SECONDS: Final = 0.5
"""What takes less is mostly fixed cost and noise, and grows too little for its size."""
_LEAST_MIB: Final = 32


@dataclass(frozen=True)
class Growth:
    """How one stage grows; x = c · decisions^exponent."""

    stage: str
    costs: tuple[Cost, ...]
    """By size."""
    time: float | None
    """Exponent of seconds, None where fewer than two sizes took long enough to tell."""
    cpu: float | None
    """The same of the process's own CPU seconds."""
    memory: float | None
    """Exponent of the memory that the work added to the process."""

    @classmethod
    def of(cls, stage: str, costs: Iterable[Cost]) -> Self:
        """Fit both exponents.

        Least squares on logarithms, over the sizes from the first one that is more than fixed cost on: half a second,
        32 MiB. Where only the largest is, the one below it counts too, so that growth out of nothing is seen.
        """
        ordered = tuple(sorted(costs, key=lambda cost: cost.decisions))
        sizes = [cost.decisions for cost in ordered]
        added = [cost.peak_mib - cost.before_mib for cost in ordered]
        return cls(
            stage,
            ordered,
            time=exponent(sizes, [cost.seconds for cost in ordered], least=_LEAST_SECONDS),
            cpu=exponent(sizes, [cost.cpu_seconds for cost in ordered], least=_LEAST_SECONDS),
            memory=exponent(sizes, added, least=_LEAST_MIB),
        )

    @property
    def largest(self) -> Cost:
        """What it took at the largest size."""
        return self.costs[-1]


def exponent(sizes: list[int], values: list[float], *, least: float) -> float | None:
    """Slope of the logarithms over the sizes whose values are not below `least`, two at least; None without."""
    first = next((place for place, value in enumerate(values) if value >= least), None)
    if first is None or len(sizes) < 2:
        return None
    first = min(first, len(sizes) - 2)
    logs = np.log(np.maximum(values[first:], 1e-9))
    return float(np.polyfit(np.log(sizes[first:]), logs, 1)[0])


def growths(costs: Iterable[Cost]) -> list[Growth]:
    """Group by stage, in the order in which the stages came."""
    by_stage: dict[str, list[Cost]] = {}
    for cost in costs:
        by_stage.setdefault(cost.stage, []).append(cost)
    return [Growth.of(stage, found) for stage, found in by_stage.items()]


def lines_of(costs: Iterable[Cost]) -> Iterator[Line]:
    """Yield a line a stage for the exponent of time, and one for memory at the largest size."""
    for growth in growths(costs):
        largest = growth.largest
        yield Line(
            stage="growth",
            what=f"{growth.stage}: time, {_sizes(growth)} decisions",
            figure=", ".join(f"{cost.seconds:.2f}" for cost in growth.costs) + " s",
            against=f"exponent, bound {LARGEST_EXPONENT}; of the process's own CPU time {_told(growth.cpu)}",
            ratio=growth.time if growth.time is not None else 0.0,
            target=f"<= {LARGEST_EXPONENT}",
            met=growth.time is None or growth.time <= LARGEST_EXPONENT,
            seconds=largest.seconds,
            peak_mib=largest.peak_mib,
            moved=Moved(largest.rows, "rows"),
        )
        yield Line(
            stage="growth",
            what=f"{growth.stage}: resident memory at {largest.decisions:,} decisions",
            figure=f"{largest.peak_mib:,.0f} MiB, {largest.peak_mib - largest.before_mib:,.0f} of it the work's",
            against=f"bound {MEMORY_MIB:,} MiB; exponent {_told(growth.memory)}",
            ratio=largest.peak_mib / MEMORY_MIB,
            target="<= 1.0 x",
            met=max(cost.peak_mib for cost in growth.costs) <= MEMORY_MIB,
            seconds=largest.seconds,
            peak_mib=largest.peak_mib,
            moved=Moved(largest.rows, "rows"),
        )


def _told(exponent: float | None) -> str:
    return "not to be told" if exponent is None else f"{exponent:.2f}"


def _sizes(growth: Growth) -> str:
    return ", ".join(f"10^{math.log10(cost.decisions):.3g}" for cost in growth.costs)

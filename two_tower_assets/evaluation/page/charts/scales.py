"""From values to percentages of an axis, and round numbers to label it with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_MARGIN: Final = 0.06


@dataclass(frozen=True)
class Scale:
    """A linear axis."""

    low: float
    high: float

    @classmethod
    def covering(cls, values: Iterable[float | None], *, zero: bool = False) -> Scale:
        """Cover all finite values with a margin, and zero (without one) when asked."""
        finite = [value for value in values if value is not None and math.isfinite(value)]
        low, high = min(finite, default=0.0), max(finite, default=1.0)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        margin = _MARGIN * ((high - low) or abs(high) or 1.0)
        return cls(low if zero and low == 0 else low - margin, high if zero and high == 0 else high + margin)

    def at(self, value: float) -> float:
        """Per cent of the axis, from its low end; values outside stand at the ends."""
        return min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low)))

    def ticks(self, about: int = 4) -> list[tuple[float, str]]:
        """Round values inside, with their labels: at most a few more than asked for."""
        rough = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in _STEPS if power * factor >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (step / power == 2.5)
        return [
            (index * step, f"{index * step:,.{decimals}f}".replace("-", "\u2212")) for index in range(first, last + 1)
        ]

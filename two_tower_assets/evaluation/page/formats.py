"""Numbers as people read them; what was not measured is a dash."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from two_tower_assets.evaluation.bootstrap import Interval

MISSING: Final = "–"

_MINUS: Final = "\u2212"


def figure(value: float | None) -> str:
    """Three decimals; whole numbers from 2 on, which are counts, without any."""
    if value is None or not math.isfinite(value):
        return MISSING
    is_count = float(value).is_integer() and abs(value) >= 2
    return (f"{value:,.0f}" if is_count else f"{value:.3f}").replace("-", _MINUS)


def signed(value: float | None) -> str:
    """Three decimals after a sign."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:+.3f}".replace("-", _MINUS)


def percent(value: float | None) -> str:
    """A share in per cent: without decimals, or with one below 10 %."""
    if value is None or not math.isfinite(value):
        return MISSING
    decimals = 0 if abs(value) >= 0.0995 or value == 0 else 1
    return f"{100 * value:.{decimals}f}\u202f%".replace("-", _MINUS)


def count(value: int) -> str:
    """A whole number with separators of thousands."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """A number and a noun that takes an s in the plural."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def ratio(value: float | None, other: float | None) -> str:
    """One figure as a multiple of another."""
    if value is None or other is None or other == 0 or not math.isfinite(value / other):
        return MISSING
    return f"×{value / other:.2f}"


def ends(interval: Interval | None, *, sign: bool = False) -> str:
    """Both ends of an interval, with signs for a difference; nothing for a figure that has none."""
    if interval is None or interval.low is None or interval.high is None:
        return ""
    if sign:
        return f"{signed(interval.low)} to {signed(interval.high)}"
    return f"{figure(interval.low)}–{figure(interval.high)}"


def day(moment: datetime | None) -> str:
    """A date."""
    return MISSING if moment is None else f"{moment:%Y-%m-%d}"


def minute(moment: datetime | None) -> str:
    """A date and a time of day, UTC."""
    return MISSING if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"

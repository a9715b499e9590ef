"""The users that experiments share among themselves: slices of [0, 1), each without its upper bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, order=True)
class Slice:
    """A part of all users, by their point in the traffic."""

    start: Decimal
    end: Decimal

    @property
    def share(self) -> Decimal:
        """Of all users."""
        return self.end - self.start

    def overlaps(self, other: Slice) -> bool:
        """Whether both have a user in common."""
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{self.start.normalize():f} to {self.end.normalize():f}"


def free_slices(taken: Iterable[Slice]) -> tuple[Slice, ...]:
    """Return what no slice of `taken` has, from the lowest on."""
    free, start = [], Decimal(0)
    for one in sorted(taken):
        if one.start > start:
            free.append(Slice(start, one.start))
        start = max(start, one.end)
    if start < 1:
        free.append(Slice(start, Decimal(1)))
    return tuple(free)


def as_text(slices: Iterable[Slice]) -> str:
    """Say slices in words; `none` where there are none."""
    return ", ".join(map(str, slices)) or "none"

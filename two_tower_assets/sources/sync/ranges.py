"""Ranges of ids: what is counted, hashed, compared and read as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

FIRST: Final = UUID(int=0)


@dataclass(frozen=True)
class Range:
    """Rows whose first key column lies from `lower` to before `upper`, created from `since` on."""

    lower: UUID = FIRST
    upper: UUID | None = None
    """Exclusive; None: no bound."""
    since: datetime | None = None


@dataclass(frozen=True)
class Sums:
    """What one side says of one range."""

    rows: int = 0
    digest: str | None = None
    """Sum of the rows' hashes; None where only counts are known."""


def split(bounds: Sequence[UUID], upper: UUID | None) -> list[Range]:
    """Ranges between ascending bounds, the last one up to `upper`."""
    return [Range(low, high) for low, high in zip(bounds, [*bounds[1:], upper], strict=True)]


def are_adjacent(ranges: Sequence[Range]) -> bool:
    """Whether each range ends where the next one begins."""
    return all(low.upper == high.lower for low, high in pairwise(ranges))


def by_place(found: Mapping[int, Sums], ranges: int) -> list[Sums]:
    """Sums of all ranges, those without rows included, from what a database says (places from 1)."""
    return [found.get(place + 1, Sums(digest="0")) for place in range(ranges)]


def merged(ranges: Sequence[Range]) -> list[Range]:
    """Join ranges that touch."""
    joined: list[Range] = []
    for each in ranges:
        if joined and joined[-1].upper == each.lower:
            joined[-1] = Range(joined[-1].lower, each.upper)
        else:
            joined.append(each)
    return joined


def agree(there: Sums, here: Sums) -> bool:
    """Whether both sides say the same of a range, as far as both can tell."""
    unknown = there.digest is None or here.digest is None
    return there.rows == here.rows and (unknown or there.digest == here.digest)

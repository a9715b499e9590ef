"""Compare two records of the benchmarks: what got slower, takes more memory or moves more. `compare OLD NEW`.

Ratios are compared, not times: each is of a floor that the same run measured, so that another machine, or a busier
one, says little and slower code says all. Memory and work are compared as they are, where both records tell them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.errors import TwoTowerError
from two_tower_assets_tests.bench.record import Record, read_record
from two_tower_assets_tests.bench.report import Line, with_prefix

TOLERANCE = 0.15
"""Share of a ratio within which two runs of the same code differ."""
MEMORY_TOLERANCE = 0.25
"""The same of peak memory."""
LEAST_MIB = 32
"""A smaller difference is what an allocator happens to keep."""
MOVED_TOLERANCE = 0.01
"""Share of work: two runs of the same code do the same, but for what is drawn or packed by chance."""


@dataclass(frozen=True)
class Change:
    """One line of both records."""

    old: Line
    new: Line

    @property
    def worse(self) -> float:
        """Share by which the newer ratio is worse; negative where it is better, 0 where neither is meant."""
        if self.new.ratio == self.old.ratio:
            return 0.0
        if self.new.target.startswith(">"):
            return self.old.ratio / self.new.ratio - 1 if self.new.ratio else float("inf")
        if self.new.target.startswith("<"):
            return self.new.ratio / self.old.ratio - 1 if self.old.ratio else float("inf")
        return 0.0

    def sentences(self, tolerance: float) -> Iterator[str]:
        """Yield what is worse: the ratio or, failing that, its bound; then memory and work."""
        ratios = f"ratio {self.old.ratio:.2f} before, {self.new.ratio:.2f} now ({self.new.figure})"
        if self.worse > tolerance:
            yield f"{_name(self.new)} got worse by {self.worse:.0%}: {ratios}"
        elif self.old.met and not self.new.met:
            yield f"{_name(self.new)} misses its bound {self.new.target} now: {ratios}"
        yield from self._memory()
        yield from self._moved()

    def _memory(self) -> Iterator[str]:
        before, now = self.old.peak_mib, self.new.peak_mib
        if before is not None and now is not None and now > max(before * (1 + MEMORY_TOLERANCE), before + LEAST_MIB):
            yield f"{_name(self.new)} takes more memory: {before:,.0f} MiB before, {now:,.0f} MiB now"

    def _moved(self) -> Iterator[str]:
        before, now = self.old.moved, self.new.moved
        if before is None or now is None or before.unit != now.unit:
            return
        if now.amount > before.amount * (1 + MOVED_TOLERANCE):
            more = f" ({now.amount / before.amount - 1:.0%} more)" if before.amount else ""
            yield f"{_name(self.new)} moves more: {with_prefix(before)} before, {with_prefix(now)} now{more}"


def compare(old: Record, new: Record, tolerance: float = TOLERANCE) -> Iterator[str]:
    """Yield a sentence for each thing that is worse by more than its tolerance, for a bound missed, for a line gone.

    Args:
        old: the earlier record.
        new: the later one.
        tolerance: of ratios; those of memory and work are this module's constants.
    """
    before = {(line.stage, line.what): line for line in old.lines}
    stages = {line.stage for line in new.lines}
    for line in new.lines:
        earlier = before.pop((line.stage, line.what), None)
        if earlier is not None:
            yield from Change(earlier, line).sentences(tolerance)
    # A record of some stages says nothing about the others.
    for line in before.values():
        if line.stage in stages:
            yield f"{_name(line)} is not measured any more"


def main() -> int:
    """Print what got worse, and return 1 when anything did, 2 for a file that is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="share of a ratio (default %(default)s)")
    asked = parser.parse_args()
    try:
        old, new = read_record(asked.old), read_record(asked.new)
    except TwoTowerError as error:
        print(error, file=sys.stderr)
        return 2
    sentences = list(compare(old, new, asked.tolerance))
    print(f"Before: {old.title}\nNow:    {new.title}")
    print(*sentences or ["Nothing got worse."], sep="\n")
    return 1 if sentences else 0


def _name(line: Line) -> str:
    return f"{line.stage}: {line.what}"


if __name__ == "__main__":
    sys.exit(main())

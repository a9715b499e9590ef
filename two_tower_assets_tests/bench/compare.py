"""Compare two records of the benchmarks, and name what got slower: `compare OLD NEW`, each a bench.json.

Ratios are compared, not times: each is of a floor that the same run measured, so that another machine, or a busier
one, says little and slower code says all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.errors import TwoTowerError
from two_tower_assets_tests.bench.record import Record, read_record
from two_tower_assets_tests.bench.report import Line

TOLERANCE = 0.15
"""Share of a ratio within which two runs of the same code differ."""


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


def compare(old: Record, new: Record, tolerance: float = TOLERANCE) -> Iterator[str]:
    """Yield a sentence for each line that got worse by more than the tolerance, misses its bound now, or is gone."""
    before = {(line.stage, line.what): line for line in old.lines}
    stages = {line.stage for line in new.lines}
    for line in new.lines:
        earlier = before.pop((line.stage, line.what), None)
        if earlier is None:
            continue
        change = Change(earlier, line)
        if change.worse > tolerance:
            yield f"{_name(line)} got worse by {change.worse:.0%}: {_ratios(change)} ({line.figure})"
        elif earlier.met and not line.met:
            yield f"{_name(line)} misses its bound {line.target} now: {_ratios(change)} ({line.figure})"
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


def _ratios(change: Change) -> str:
    return f"ratio {change.old.ratio:.2f} before, {change.new.ratio:.2f} now"


if __name__ == "__main__":
    sys.exit(main())

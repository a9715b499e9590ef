"""Finding where source and copy differ: wide ranges first, those that differ divided until they are worth reading."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.ranges import Range, Sums, differing, merged, split
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.tables import SyncTable

WORTH_READING: Final = 4000
"""Rows of a range that is read rather than divided further: a few pages cost no more than another look."""
_FINEST: Final = 25
"""Rows of the smallest ranges of a first look."""


@dataclass(frozen=True)
class Difference:
    """What a comparison found."""

    ranges: list[Range]
    """To be read again: disjoint, ascending."""
    rows: int
    """Rows of these ranges in the source."""
    source_rows: int
    digest: str
    """Sum of the hashes of all rows of the copy."""
    copy_rows: int


def compare(source: Source, copy: Copy, table: SyncTable, columns: Sequence[str]) -> Difference:
    """Compare a whole table; both sides work at the same time."""
    comparison = _Comparison(source, copy, table, columns)
    # A sum over one range costs as much as over many.
    wanted = max(1, min(source.fan_out, copy.estimate(table) // _FINEST))
    ranges = split(copy.divide(table, Range(), wanted), None)
    there, here = comparison.both(ranges)
    places = differing(there, here)
    # Where most of a table differs, it is read rather than looked at more closely.
    divide = len(places) <= len(ranges) / 2 or len(ranges) == 1
    for place in places:
        comparison.look(ranges[place], there[place], here[place], divide=divide)
    return Difference(
        ranges=merged(comparison.found),
        rows=comparison.rows,
        source_rows=sum(sums.rows for sums in there),
        digest=str(sum(int(sums.digest or 0) for sums in here)),
        copy_rows=sum(sums.rows for sums in here),
    )


class _Comparison:
    def __init__(self, source: Source, copy: Copy, table: SyncTable, columns: Sequence[str]) -> None:
        self._source, self._copy, self._table, self._columns = source, copy, table, columns
        self.found: list[Range] = []
        self.rows = 0

    def look(self, within: Range, there: Sums, here: Sums, *, divide: bool) -> None:
        """Note a range that differs, or the parts of it that do."""
        rows = max(there.rows, here.rows)
        wanted = min(self._source.fan_out, here.rows // (WORTH_READING // 2))
        if divide and rows > WORTH_READING and wanted > 1:
            parts = split(self._copy.divide(self._table, within, wanted), within.upper)
            if len(parts) > 1:
                self._look_closer(parts)
                return
        self.found.append(within)
        self.rows += there.rows

    def both(self, ranges: Sequence[Range]) -> tuple[list[Sums], list[Sums]]:
        """Counts and hashes of both sides."""
        # Known beforehand: the source would wait for the copy's connection to ask for it.
        self._copy.statement(self._table, self._columns)
        with ThreadPoolExecutor(1) as beside:
            there = beside.submit(self._source.sums, self._table, self._columns, ranges)
            here = self._copy.sums(self._table, self._columns, ranges)
            return there.result(), here

    def _look_closer(self, parts: Sequence[Range]) -> None:
        there, here = self.both(parts)
        for place in differing(there, here):
            self.look(parts[place], there[place], here[place], divide=True)

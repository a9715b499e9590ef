"""Finding where source and copy differ: wide ranges first, those that differ divided until they are worth reading."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.ranges import Range, Sums, agree, are_adjacent, merged
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.tables import SyncTable

_WORTH_READING: Final = 4000
"""Rows that are read rather than looked at more closely: a few pages cost no more than another look."""
_PARTS_AT_LEAST: Final = 16
"""Into so many parts a range may be divided, however many ranges differ."""


@dataclass(frozen=True)
class _Compared:
    """A range and what both sides say of it."""

    within: Range
    there: Sums
    here: Sums

    @property
    def differs(self) -> bool:
        return not agree(self.there, self.here)

    @property
    def rows(self) -> int:
        return max(self.there.rows, self.here.rows)


class Comparison:
    """A whole table as both sides know it, range by range. Both sides work at the same time.

    Args:
        source: one side.
        copy: the other one, whose ids bound the ranges.
        table: which.
        columns: those that are hashed, the key first.
        is_fresh: whether all rows were read just now, so that one hash of all of them is likely to agree.
    """

    def __init__(
        self, source: Source, copy: Copy, table: SyncTable, columns: Sequence[str], *, is_fresh: bool
    ) -> None:
        self._source, self._copy, self._table, self._columns = source, copy, table, columns
        self._known: list[_Compared] = []
        if is_fresh and source.has_hashes:
            self._known = self._compared([Range()])
            if not self._differing:
                return
        # A sum over one range costs as much as over many.
        wanted = max(1, min(source.fan_out, copy.estimate(table) // source.finest))
        self._known = self._compared(copy.divide(table, wanted))
        rows = sum(each.rows for each in self._known)
        # Where most of a table differs, it is read rather than looked at more closely.
        if len(self._known) == 1 or 2 * sum(each.rows for each in self._differing) <= rows:
            self._look_closer()

    @property
    def ranges(self) -> list[Range]:
        """Ranges that differ, to be read again: disjoint, ascending."""
        return merged([each.within for each in self._differing])

    @property
    def rows_to_read(self) -> int:
        """Rows of these ranges in the source."""
        return sum(each.there.rows for each in self._differing)

    @property
    def source_rows(self) -> int:
        """Rows of the source."""
        return sum(each.there.rows for each in self._known)

    @property
    def copy_rows(self) -> int:
        """Rows of the copy."""
        return sum(each.here.rows for each in self._known)

    @property
    def digest(self) -> str:
        """Sum of the hashes of all rows of the copy."""
        return str(sum(int(each.here.digest or 0) for each in self._known))

    def look_again(self) -> None:
        """Compare the ranges that differed once more; of the others it is known that they do not."""
        self._replace([[each.within] for each in self._differing])

    @property
    def _differing(self) -> list[_Compared]:
        return [each for each in self._known if each.differs]

    def _look_closer(self) -> None:
        """Divide the ranges that differ until few rows are left or they cannot be divided."""
        while sum(each.rows for each in self._differing) > _WORTH_READING:
            differing = self._differing
            most = max(_PARTS_AT_LEAST, self._source.fan_out // len(differing))
            wanted = [max(1, min(most, each.here.rows // self._source.finest)) for each in differing]
            parts = self._copy.divide_each(self._table, [each.within for each in differing], wanted)
            if all(len(of_one) == 1 for of_one in parts):
                return
            self._replace(parts)

    def _replace(self, parts: Sequence[Sequence[Range]]) -> None:
        """Compare the parts of each range that differs, in its place."""
        found = iter(self._compared([part for of_one in parts for part in of_one]))
        lengths = iter(map(len, parts))
        self._known = [
            part
            for each in self._known
            for part in ([next(found) for _ in range(next(lengths))] if each.differs else [each])
        ]

    def _compared(self, ranges: Sequence[Range]) -> list[_Compared]:
        if not ranges:
            return []
        # Known beforehand: the source would wait for the copy's connection to ask for it.
        self._copy.statement(self._table, self._columns, not are_adjacent(ranges))
        with ThreadPoolExecutor(1) as beside:
            there = beside.submit(self._source.sums, self._table, self._columns, ranges)
            here = self._copy.sums(self._table, self._columns, ranges)
            return [_Compared(*each) for each in zip(ranges, there.result(), here, strict=True)]

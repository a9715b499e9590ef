"""Finding where source and copy differ: wide ranges first, those that differ divided until they are worth reading."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

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

    `begin` it before the copy is written to, so that the source sums up meanwhile; `finish` it afterwards.

    Args:
        source: one side.
        copy: the other one, whose ids bound the ranges.
        table: which.
        columns: those that are hashed, the key first.
    """

    def __init__(self, source: Source, copy: Copy, table: SyncTable, columns: Sequence[str]) -> None:
        self._source, self._copy, self._table, self._columns = source, copy, table, columns
        self._beside = ThreadPoolExecutor(1)
        self._begun: tuple[Sequence[Range], Future[list[Sums]]] | None = None
        self._known: list[_Compared] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()

    def begin(self, *, is_fresh: bool) -> None:
        """Have the source sum up, which takes as long as reading the table.

        Args:
            is_fresh: whether all rows have been read just now, so that one hash of all of them is likely to agree.
        """
        ranges = [Range()] if is_fresh and self._source.has_hashes else self._divided()
        self._begun = ranges, self._there(ranges)

    def finish(self) -> None:
        """Sum the copy up as well, and look closer where it differs."""
        assert self._begun is not None
        ranges, there = self._begun
        self._known = self._together(ranges, there)
        if self._differing and len(ranges) == 1 and len(divided := self._divided()) > 1:
            self._known = self._compared(divided)
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

    def _divided(self) -> list[Range]:
        # A sum over one range costs as much as over many.
        wanted = max(1, min(self._source.fan_out, self._copy.estimate(self._table) // self._source.finest))
        return self._copy.divide(self._table, wanted)

    def _compared(self, ranges: Sequence[Range]) -> list[_Compared]:
        return self._together(ranges, self._there(ranges)) if ranges else []

    def _there(self, ranges: Sequence[Range]) -> Future[list[Sums]]:
        # Known beforehand: the source would wait for the copy's connection to ask for it.
        self._copy.statement(self._table, self._columns, not are_adjacent(ranges))
        return self._beside.submit(self._source.sums, self._table, self._columns, ranges)

    def _together(self, ranges: Sequence[Range], there: Future[list[Sums]]) -> list[_Compared]:
        here = self._copy.sums(self._table, self._columns, ranges)
        return [_Compared(*each) for each in zip(ranges, there.result(), here, strict=True)]

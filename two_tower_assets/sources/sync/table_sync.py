"""One table on its way: what is new since the watermark, then what else differs, until nothing does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from two_tower_assets.errors import SourceDataError
from two_tower_assets.progress import Progress
from two_tower_assets.sources.sync.apply import Changes, apply_staged
from two_tower_assets.sources.sync.compare import Comparison
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.report import TableReport
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.staging import Part, Staging
from two_tower_assets.sources.sync.tables import SyncTable

OVERLAP: Final = timedelta(minutes=15)
"""How far before its watermark a pull begins: a transaction that took so long to commit is not overlooked."""
_PASSES: Final = 3
"""A source that goes on changing is compared so often; what still differs is left to the next sync."""
_SECONDS_BETWEEN_COMMITS: Final = 1.0


class TableSync:
    """One table: `read` first, then `settle`, which may be at work while the next table is read.

    Args:
        source: where from.
        copy: where to.
        table: which.
        progress: told the rows read so far and their number.
    """

    def __init__(self, source: Source, copy: Copy, table: SyncTable, progress: Progress) -> None:
        self._source, self._copy, self._table, self._progress = source, copy, table, progress
        self._begun = datetime.now(UTC)
        self._present: tuple[str, ...] | None = None
        self._changes = Changes()
        self._staged: Sequence[Part] = ()
        self._went_on = False

    def read(self) -> None:
        """Stage what an earlier sync had begun to read, or else what is new.

        Raises:
            SourceDataError: the source lacks the table or a column of it that nothing can stand for.
        """
        self._present = self._source.columns(self._table)
        if self._present is None:
            self._require_dispensable()
            return
        if self._present:
            self._table.require(self._present, self._source.label)
        kept = self._staging().kept()
        if kept:
            self._went_on = True
            self._stage(kept, rows=None)
        else:
            self._stage_new()
        # No lock is kept that whoever settles another table would wait for.
        self._copy.commit()

    def settle(self, copy: Copy) -> TableReport:
        """Make the staged rows the table's, then read what else differs, through another connection to the copy."""
        table, self._copy = self._table, copy
        if self._present is None:
            return TableReport(table.name, is_there=False)
        with Comparison(self._source, copy, table, self._columns) as left:
            if self._went_on:
                self._apply()
                self._stage_new()
            left.begin(is_fresh=copy.is_empty(table))
            self._apply()
            self._read_what_differs(left)
        if table.watermark in self._columns:
            copy.set_watermark(table, self._begun)
        copy.commit()
        return TableReport(
            name=table.name,
            source_rows=left.source_rows,
            rows=left.copy_rows,
            changes=self._changes,
            lacking=tuple(name for name in table.columns if name not in self._columns),
            added=tuple(name for name in self._present if name not in table.columns),
            went_on=self._went_on,
            unsettled=len(left.ranges),
            digest=left.digest,
        )

    @property
    def _columns(self) -> list[str]:
        """Columns that are read; an empty table over REST does not tell them, and there is nothing to read of it."""
        return [name for name in self._table.columns if name in (self._present or self._table.columns)]

    def _staging(self) -> Staging:
        return Staging(self._copy.connection, self._table, self._columns, self._copy.source)

    def _require_dispensable(self) -> None:
        if self._table.must_exist:
            raise SourceDataError(
                f"The source has no table {self._table.name}",
                where=f"public.{self._table.name} of {self._source.label}",
                remedy="Name a project that has it, or make a view of this name there.",
            )

    def _stage_new(self) -> None:
        """Stage rows that were created since the watermark, or everything the first time."""
        if self._copy.is_empty(self._table):
            rows = self._source.count(self._table, Range())
            if rows and self._copy.keep:
                self._stage(self._staging().begin([Range()]), rows=rows)
            elif rows:
                self._changes += Changes(inserted=rows)
            return
        watermark = self._copy.watermark(self._table)
        if watermark is not None and self._table.watermark in self._columns:
            self._stage(self._staging().begin([Range(since=watermark - OVERLAP)]), rows=None)

    def _read_what_differs(self, found: Comparison) -> None:
        found.finish()
        for _ in range(_PASSES):
            if not found.ranges or not (self._copy.keep or not self._copy.is_empty(self._table)):
                break
            self._stage(self._staging().begin(found.ranges), rows=found.rows_to_read)
            self._apply()
            found.look_again()
            if self._changes.waiting:
                break

    def _stage(self, parts: Sequence[Part], *, rows: int | None) -> None:
        """Read the parts that are not read yet."""
        staging = self._staging()
        self._copy.commit()
        done, committed = 0, time.monotonic()
        unread = [part for part in parts if not part.is_read]
        if unread:
            ranges = [part.within for part in unread]
            for page in self._source.pages(self._table, self._columns, ranges, unread[0].after):
                staging.add(page)
                done += page.rows
                self._progress(done, max(done, rows or 0))
                if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
                    staging.note()
                    self._copy.commit()
                    committed = time.monotonic()
        staging.finish()
        self._copy.commit()
        self._staged = parts

    def _apply(self) -> None:
        """Make what is staged the table's, in one transaction."""
        if not self._staged:
            return
        staging = self._staging()
        may_repeat = any(part.within.since is not None for part in self._staged)
        is_empty = self._copy.is_empty(self._table)
        self._changes += apply_staged(self._copy.connection, staging, may_repeat=may_repeat, is_empty=is_empty)
        staging.forget()
        self._copy.commit()
        self._staged = ()

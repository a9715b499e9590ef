"""One sync: table by table what is new since the watermark, then what else differs, until nothing does.

New rows are found by their `created_at`; everything else (rows changed in place, deleted, or arrived with an older
time) by comparing counts and hashes of ranges of ids, which is also the proof that nothing is missing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from two_tower_assets.errors import SourceDataError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.sources.sync.apply import Changes, apply_staged
from two_tower_assets.sources.sync.compare import Comparison
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.report import SyncReport, TableReport
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.staging import Part, Staging
from two_tower_assets.sources.sync.tables import TABLES, SyncTable

OVERLAP: Final = timedelta(minutes=15)
"""How far before its watermark a pull begins: a transaction that took so long to commit is not overlooked."""
_PASSES: Final = 3
"""A source that goes on changing is compared so often; what still differs is left to the next sync."""
_ROUNDS: Final = 2
"""Rows whose parent arrived after the parents were pulled find it in the second round."""
_SECONDS_BETWEEN_COMMITS: Final = 1.0


def sync(source: Source, copy: Copy, *, progress: Progress = silent) -> SyncReport:
    """Make the copy's tables equal to the source's.

    Args:
        source: where from.
        copy: where to; when it keeps nothing, the report says what would have changed.
        progress: told the rows read so far and their number, for each table anew.

    Raises:
        SourceDataError: the source lacks a required table or column, holds rows that cannot be kept, or is the copy
            itself.
        RestError, DatabaseError: it cannot be read; what was read is kept, and the next sync goes on from there.
    """
    with database_errors("The rows could not be synchronised"):
        source.require_other_database(copy.identity())
        _require_rows(source)
        reports = {table.name: _Table(source, copy, table, progress).bring() for table in TABLES}
        for _ in range(_ROUNDS - 1):
            waiting = [table for table in TABLES if reports[table.name].changes.waiting]
            for table in TABLES if waiting else ():
                again = _Table(source, copy, table, progress).bring()
                reports[table.name] = _joined(reports[table.name], again)
        return _finish(source, copy, tuple(reports.values()))


def _require_rows(source: Source) -> None:
    """Refuse a source without a video or a decision: a key that sees no rows would empty the copy."""
    for table in TABLES:
        if table.must_exist and source.columns(table) is not None and not source.has_rows(table):
            raise SourceDataError(
                f"The source's table {table.name} has no rows that can be seen",
                where=f"public.{table.name} of {source.label}",
                remedy="Use the service role's key, or a database role that no policy hides rows from.",
            )


def _joined(first: TableReport, again: TableReport) -> TableReport:
    values = {**vars(again), "changes": first.changes + again.changes, "went_on": first.went_on}
    return TableReport(**values)


def _finish(source: Source, copy: Copy, tables: tuple[TableReport, ...]) -> SyncReport:
    told = ";".join(f"{table.name}:{table.rows}:{table.digest}" for table in tables)
    content_hash = hashlib.sha256(told.encode()).hexdigest()
    differs = copy.record(content_hash, {table.name: table.rows for table in tables})
    copy.commit()
    return SyncReport(source.label, source.way, source.limits, tables, content_hash, unchanged=not differs)


class _Table:
    """One table on its way."""

    def __init__(self, source: Source, copy: Copy, table: SyncTable, progress: Progress) -> None:
        self._source, self._copy, self._table, self._progress = source, copy, table, progress
        self._changes = Changes()
        self._went_on = False
        self._is_fresh = False

    def bring(self) -> TableReport:
        """Bring what is new, then what else differs."""
        table, begun = self._table, datetime.now(UTC)
        present = self._source.columns(table)
        if present is None:
            return self._absent()
        if present:
            table.require(present, self._source.label)
        # An empty table over REST does not tell its columns, and there is nothing to read of it.
        columns = [name for name in table.columns if name in (present or table.columns)]
        self._staging = Staging(self._copy.connection, table, columns, self._copy.source)
        self._go_on()
        self._bring_new(columns)
        left = self._settle(columns)
        if table.watermark in columns:
            self._copy.set_watermark(table, begun)
        self._copy.commit()
        return TableReport(
            name=table.name,
            source_rows=left.source_rows,
            rows=left.copy_rows,
            changes=self._changes,
            lacking=tuple(name for name in table.columns if name not in columns),
            added=tuple(name for name in present if name not in table.columns),
            went_on=self._went_on,
            unsettled=len(left.ranges),
            digest=left.digest,
        )

    def _absent(self) -> TableReport:
        if self._table.must_exist:
            raise SourceDataError(
                f"The source has no table {self._table.name}",
                where=f"public.{self._table.name} of {self._source.label}",
                remedy="Name a project that has it, or make a view of this name there.",
            )
        return TableReport(self._table.name, is_there=False)

    def _go_on(self) -> None:
        """Finish what an earlier sync had begun."""
        parts = self._staging.kept()
        if parts:
            self._went_on = True
            self._read(parts, rows=None)

    def _bring_new(self, columns: Sequence[str]) -> None:
        """Bring rows that were created since the watermark, or everything the first time."""
        if self._copy.is_empty(self._table):
            whole = Range()
            rows = self._source.count(self._table, whole)
            if rows and self._copy.keep:
                self._read(self._staging.begin([whole]), rows=rows)
            elif rows:
                self._changes += Changes(inserted=rows)
            return
        watermark = self._copy.watermark(self._table)
        if watermark is not None and self._table.watermark in columns:
            self._read(self._staging.begin([Range(since=watermark - OVERLAP)]), rows=None)

    def _settle(self, columns: Sequence[str]) -> Comparison:
        """Read what differs until nothing does."""
        found = Comparison(self._source, self._copy, self._table, columns, is_fresh=self._is_fresh)
        for _ in range(_PASSES):
            if not found.ranges or not (self._copy.keep or not self._copy.is_empty(self._table)):
                break
            self._read(self._staging.begin(found.ranges), rows=found.rows_to_read)
            found.look_again()
            if self._changes.waiting:
                break
        return found

    def _read(self, parts: Sequence[Part], *, rows: int | None) -> None:
        """Stage the parts that are not read yet, then apply all of them in one transaction."""
        self._copy.commit()
        done, committed = 0, time.monotonic()
        unread = [part for part in parts if not part.is_read]
        if unread:
            ranges = [part.within for part in unread]
            for page in self._source.pages(self._table, self._staging.columns, ranges, unread[0].after):
                self._staging.add(page)
                done += page.rows
                self._progress(done, max(done, rows or 0))
                if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
                    self._staging.note()
                    self._copy.commit()
                    committed = time.monotonic()
        self._staging.finish()
        self._copy.commit()
        may_repeat = any(part.within.since is not None for part in parts)
        self._is_fresh = self._copy.is_empty(self._table)
        self._changes += apply_staged(
            self._copy.connection, self._staging, may_repeat=may_repeat, is_empty=self._is_fresh
        )
        self._staging.drop()
        self._copy.commit()

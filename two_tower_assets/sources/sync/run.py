"""One sync: table by table what is new since the watermark, then what else differs, until nothing does.

New rows are found by their `created_at`; everything else (rows changed in place, deleted, or arrived with an older
time) by comparing counts and hashes of ranges of ids, which is also the proof that nothing is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Final

from two_tower_assets.errors import SourceDataError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.report import SyncReport, TableReport
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.staging import drop_staged
from two_tower_assets.sources.sync.table_sync import TableSync
from two_tower_assets.sources.sync.tables import TABLES

_ROUNDS: Final = 2
"""Rows whose parent arrived after the parents were pulled find it in the second round."""


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
        reports = _bring_all(source, copy, progress)
        for _ in range(_ROUNDS - 1):
            if any(report.changes.waiting for report in reports.values()):
                again = _bring_all(source, copy, progress)
                reports = {name: _joined(first, again[name]) for name, first in reports.items()}
        return _finish(source, copy, tuple(reports.values()))


def _bring_all(source: Source, copy: Copy, progress: Progress) -> dict[str, TableReport]:
    """Bring one table after the other; what was read is settled behind, tables on their own beside all others."""
    coming: dict[str, Future[TableReport]] = {}
    with ExitStack() as open_now:
        behind = {on_its_own: open_now.enter_context(_settler(copy)) for on_its_own in (True, False)}
        for table in TABLES:
            work = TableSync(source, copy, table, progress)
            work.read()
            settle = behind[table.on_its_own]
            coming[table.name] = settle(work)
            for each in coming.values():
                if each.done():
                    each.result()
        return {name: each.result() for name, each in coming.items()}


@contextmanager
def _settler(copy: Copy) -> Iterator[Callable[[TableSync], Future[TableReport]]]:
    """Yield what settles one table after the other: behind the caller, or at once where nothing is kept."""
    with copy.beside() as other, ThreadPoolExecutor(1) as thread:

        def settle(work: TableSync) -> Future[TableReport]:
            coming = thread.submit(work.settle, other)
            if other is copy:
                wait([coming])
            return coming

        yield settle


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
    drop_staged(copy.connection, TABLES)
    copy.commit()
    return SyncReport(source.label, source.way, source.limits, tables, content_hash, unchanged=not differs)

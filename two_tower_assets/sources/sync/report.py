"""What a sync did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from two_tower_assets.sources.sync.apply import Changes


@dataclass(frozen=True)
class TableReport:
    """One table."""

    name: str
    source_rows: int = 0
    rows: int = 0
    """Of the copy, afterwards."""
    changes: Changes = field(default_factory=Changes)
    lacking: tuple[str, ...] = ()
    """Columns of the contract that the source lacks; they take their default."""
    added: tuple[str, ...] = ()
    """Columns of the source that mean nothing here."""
    is_there: bool = True
    """Whether the source has the table at all."""
    went_on: bool = False
    """Whether rows were used that an earlier, unfinished sync had read."""
    unsettled: int = 0
    """Ranges that still differed at the end: the source went on changing, or rows wait for what they point at."""
    digest: str = "0"


@dataclass(frozen=True)
class SyncReport:
    """All tables."""

    source: str
    way: str
    limits: str | None
    """What this way cannot see, and what to do about it."""
    tables: tuple[TableReport, ...]
    content_hash: str
    """Of the copy's rows; equal rows give equal hashes."""
    unchanged: bool
    """Whether the copy holds what it held before."""

    def counts(self, what: str) -> Mapping[str, int]:
        """One figure of every table: `source_rows`, `rows`, `inserted`, `changed`, `deleted` or `waiting`."""
        return {table.name: getattr(table if hasattr(table, what) else table.changes, what) for table in self.tables}

    def notes(self) -> tuple[str, ...]:
        """What a person should know, in sentences."""
        lines = [] if self.limits is None else [self.limits]
        for table in self.tables:
            if not table.is_there:
                lines.append(f"{table.name}: the source has no such table")
            if table.lacking:
                lines.append(f"{table.name}: the source lacks {', '.join(table.lacking)}; defaults were taken")
            if table.added:
                lines.append(f"{table.name}: not read, since they mean nothing here: {', '.join(table.added)}")
            if table.changes.waiting:
                lines.append(f"{table.name}: {table.changes.waiting:,} rows point at a row that the source lacks")
            if table.unsettled:
                lines.append(f"{table.name}: {table.unsettled:,} ranges still differ; the next sync looks again")
        return tuple(lines)

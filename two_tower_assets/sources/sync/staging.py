"""Rows on their way: a staging table a table, and how far each range is read, kept so that a sync can go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from two_tower_assets.database.queries import query
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.source import Key, Page
from two_tower_assets.sources.sync.tables import SyncTable


@dataclass(frozen=True)
class Part:
    """A range that is being read."""

    within: Range
    after: Key | None = None
    """Key of the last row that is staged."""
    is_read: bool = False


class Staging:
    """Staged rows of one table.

    Args:
        connection: to the pipeline's Postgres, in a transaction that the caller commits.
        table: which.
        columns: those that the source has, in the contract's order.
        source: whose rows these are; rows of another source or of other columns are dropped.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], table: SyncTable, columns: Sequence[str], source: str
    ) -> None:
        self._connection = connection
        self.table, self.columns = table, tuple(columns)
        self._token = f"{source}: {','.join(columns)}"
        self.name = staged_name(table)
        self._open = ExitStack()
        self._copying: tuple[str, psycopg.Copy] | None = None
        self._last: Key = ()
        self._rows = 0

    def kept(self) -> list[Part]:
        """Parts that an earlier sync left; empty, and their rows dropped, when they cannot be gone on with."""
        found = self._connection.execute(query("sync_ranges_kept"), {"name": self.table.name}).fetchall()
        if not found:
            return []
        rows = sum(row[6] for row in found)
        if all(row[0] == self._token for row in found) and self._count() == rows:
            return [Part(Range(row[1], row[2], row[3]), row[4] and tuple(map(str, row[4])), row[5]) for row in found]
        self.drop()
        return []

    def begin(self, ranges: Sequence[Range]) -> list[Part]:
        """Make an empty staging table for these ranges."""
        self.drop()
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        self._connection.execute(
            text("sync_stage", staged=self.name, columns=columns, table=sql.Identifier(self.table.name))
        )
        rows = [
            {
                "name": self.table.name,
                "place": place,
                "source": self._token,
                "lower": each.lower,
                "upper": each.upper,
                "since": each.since,
            }
            for place, each in enumerate(ranges)
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(query("sync_ranges_begin"), rows)
        return [Part(each) for each in ranges]

    def add(self, page: Page) -> None:
        """Stage the next page of the parts, which are read in their order; how far they are is kept by `note`."""
        if page.form == "json":
            self._end_copy()
            columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
            typed = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(self.table.columns[name]))
                for name in self.columns
            )
            statement = text("sync_stage_page", staged=self.name, columns=columns, typed=typed)
            self._connection.execute(statement, [page.content.decode()])
        else:
            self._lines(page.form).write(page.content)
        self._last, self._rows = page.last, self._rows + page.rows

    def note(self) -> None:
        """Keep how far the parts are read, before a commit: staged rows without their note are dropped."""
        self._end_copy()
        if self._rows:
            named = {"name": self.table.name, "after": list(self._last), "rows": self._rows}
            self._connection.execute(query("sync_ranges_read"), named)
            self._rows = 0

    def finish(self) -> None:
        """Note that all parts are read to their end."""
        self.note()
        self._connection.execute(query("sync_ranges_finish"), {"name": self.table.name})

    def drop(self) -> None:
        """Drop everything staged of this table."""
        drop_staged(self._connection, [self.table])
        self.forget()

    def forget(self) -> None:
        """Forget how far the ranges are read: what is staged is no longer anything to go on with.

        The rows are left to `drop_staged`, since a commit that drops a table waits for the disk.
        """
        self._connection.execute(query("sync_ranges_forget"), {"name": self.table.name})

    def _lines(self, form: Literal["text", "csv"]) -> psycopg.Copy:
        """Return the COPY that is under way: one for many pages, since each costs as much as some hundred rows."""
        if self._copying is None or self._copying[0] != form:
            self._end_copy()
            columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
            statement = sql.SQL("copy {} ({}) from stdin (format {})").format(self.name, columns, sql.SQL(form))
            cursor = self._open.enter_context(self._connection.cursor())
            self._copying = form, self._open.enter_context(cursor.copy(statement))
        return self._copying[1]

    def _end_copy(self) -> None:
        self._open.close()
        self._copying = None

    def _count(self) -> int | None:
        exists = self._connection.execute("select to_regclass(%s)", [self.name.as_string()]).fetchone()
        if exists == (None,):
            return None
        row = self._connection.execute(sql.SQL("select count(*) from {}").format(self.name)).fetchone()
        assert row is not None
        return int(row[0])


def staged_name(table: SyncTable) -> sql.Identifier:
    """Name of a table's staging table."""
    return sql.Identifier("two_tower", f"sync_staged_{table.name}")


def drop_staged(connection: psycopg.Connection[Any], tables: Iterable[SyncTable]) -> None:
    """Drop the staging tables of these tables, if there are any."""
    names = sql.SQL(", ").join(map(staged_name, tables))
    connection.execute(sql.SQL("drop table if exists {}").format(names))


def text(name: str, **parts: sql.Composable) -> sql.Composed:
    """Fill in a named query."""
    return sql.SQL(query(name)).format(**parts)

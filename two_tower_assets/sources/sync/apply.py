"""Staged rows made the table's rows: deletions, changes and arrivals as sets, in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from two_tower_assets.errors import SourceDataError
from two_tower_assets.sources.sync.bare import bare
from two_tower_assets.sources.sync.staging import Staging, text
from two_tower_assets.sources.sync.tables import TIME, SyncTable


@dataclass(frozen=True)
class Changes:
    """Rows written, by what happened to them."""

    inserted: int = 0
    changed: int = 0
    deleted: int = 0
    waiting: int = 0
    """Staged rows that point at a row which is not here: left out, or without their pointer."""

    def __add__(self, other: Changes) -> Changes:
        """Add rows up; of those that wait, the later count holds."""
        return Changes(
            self.inserted + other.inserted,
            self.changed + other.changed,
            self.deleted + other.deleted,
            other.waiting,
        )


def apply_staged(
    connection: psycopg.Connection[Any], staging: Staging, *, may_repeat: bool, is_empty: bool
) -> Changes:
    """Make the rows of the staged ranges equal to the staged rows.

    Args:
        is_empty: whether the table has no row yet.
        may_repeat: whether a row may be staged twice (pulls by watermark); its latest one counts.

    Raises:
        SourceDataError: a row cannot be kept; nothing was changed.
    """
    table = staging.table
    if not is_empty:
        connection.execute(sql.SQL("analyze {}").format(staging.name))
    _refuse_unfit(connection, staging)
    parts = _parts(staging, may_repeat=may_repeat)
    try:
        changes = (_fill if is_empty else _change)(connection, staging, parts)
    except psycopg.errors.UniqueViolation as error:
        raise SourceDataError(
            f"Two rows of the source have the same value where each must have its own: {error.diag.message_detail}",
            where=f"public.{table.name}",
            remedy="Make the values distinct in the source, or empty one of them.",
        ) from None
    waiting = connection.execute(text("sync_waiting", **parts)).fetchone() if table.parents else (0,)
    assert waiting is not None
    return replace(changes, waiting=int(waiting[0]))


def _fill(connection: psycopg.Connection[Any], staging: Staging, parts: dict[str, sql.Composable]) -> Changes:
    with bare(connection, staging.table):
        return Changes(inserted=connection.execute(text("sync_fill", **parts)).rowcount)


def _change(connection: psycopg.Connection[Any], staging: Staging, parts: dict[str, sql.Composable]) -> Changes:
    table = staging.table
    if table.unique in staging.columns:
        connection.execute(text("sync_free", **parts))
    deleted = connection.execute(text("sync_delete", **parts), {"name": table.name}).rowcount
    written = connection.execute(text("sync_upsert", **parts)).fetchone()
    assert written is not None
    inserted, changed = written
    return Changes(inserted, changed, deleted)


def _refuse_unfit(connection: psycopg.Connection[Any], staging: Staging) -> None:
    """Raise over rows whose required columns are null or whose times are infinite."""
    table = staging.table
    reasons = {f"no {name}": sql.SQL("s.{} is null").format(sql.Identifier(name)) for name in table.required}
    for name in staging.columns:
        if table.columns[name] == TIME:
            finite = sql.SQL("not pg_catalog.isfinite(s.{})").format(sql.Identifier(name))
            reasons[f"an infinite {name}"] = finite
    if not reasons:
        return
    counts = sql.SQL(", ").join(sql.SQL("count(*) filter (where {})").format(reason) for reason in reasons.values())
    found = connection.execute(text("sync_unfit", counts=counts, staged=staging.name)).fetchone()
    assert found is not None
    for reason, rows in zip(reasons, found, strict=True):
        if rows:
            raise SourceDataError(
                f"{rows:,} rows of the source have {reason}",
                where=f"public.{table.name}",
                remedy="Correct them in the source, then run again.",
            )


def _parts(staging: Staging, *, may_repeat: bool) -> dict[str, sql.Composable]:
    table = staging.table
    written = {name: _value(table, name) for name in staging.columns}
    constants = {name: sql.SQL(value) for name, value in table.when_lacking.items() if name not in staging.columns}
    others = [name for name in staging.columns if name not in table.key]
    return {
        "table": sql.Identifier(table.name),
        "staged": staging.name,
        "first": sql.Identifier(table.key[0]),
        "key": _listed(map(sql.Identifier, table.key)),
        "rows": _latest(staging) if may_repeat else staging.name,
        "unique": sql.Identifier(table.unique or table.key[0]),
        "same_key": _all(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in table.key),
        "otherwise": _otherwise(others),
        "columns": _listed(map(sql.Identifier, [*written, *constants])),
        "values": _listed([*written.values(), *constants.values()]),
        "has_parents": _all(_has_parent(table, name) for name in table.parents if name in table.key),
        "has_all_parents": _all(
            sql.SQL("(s.{} is null or {})").format(sql.Identifier(name), _has_parent(table, name))
            for name in table.parents
            if name in staging.columns
        ),
    }


def _otherwise(others: Sequence[str]) -> sql.Composable:
    """Build what happens to a row that is there already; `others` are the columns beside its key."""
    if not others:
        return sql.SQL("do nothing")
    new = {name: sql.SQL("excluded.{}").format(sql.Identifier(name)) for name in others}
    return sql.SQL("do update set {} where ({}) is distinct from ({})").format(
        _listed(sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in new.items()),
        _listed(sql.SQL("t.{}").format(sql.Identifier(name)) for name in others),
        _listed(new.values()),
    )


def _value(table: SyncTable, name: str) -> sql.Composable:
    """Build what is written into a column: never null where there must be no null, never a pointer into nothing."""
    column = sql.SQL("s.{}").format(sql.Identifier(name))
    if name in table.defaults:
        return sql.SQL("coalesce({}, {})").format(column, sql.SQL(table.defaults[name]))
    if name in table.parents and name not in table.key:
        return sql.SQL("case when {} then {} end").format(_has_parent(table, name), column)
    return column


def _has_parent(table: SyncTable, name: str) -> sql.Composed:
    parent = sql.Identifier(table.parents[name])
    return sql.SQL("exists (select from public.{} as p where p.id = s.{})").format(parent, sql.Identifier(name))


def _latest(staging: Staging) -> sql.Composed:
    keys = _listed(map(sql.Identifier, staging.table.key))
    return sql.SQL("(select distinct on ({0}) * from {1} order by {0}, {2} desc)").format(
        keys, staging.name, sql.Identifier(staging.table.watermark or staging.table.key[0])
    )


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _all(conditions: Iterable[sql.Composable]) -> sql.Composed:
    """Join conditions; none means true."""
    return sql.SQL(" and ").join([sql.SQL("true"), *conditions])

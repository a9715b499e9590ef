"""Decisions before a moment, copied out of Postgres, coded, and sorted when asked: the hot path of a snapshot.

Ids and types are coded by a thread beside the one that receives. What does not live here: what becomes of the rows
(`decision_log`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.database.queries import query
from two_tower_assets.progress import Progress
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.decision_log import DecisionLog
from two_tower_assets.sources.decision_order import in_order
from two_tower_assets.sources.ids import IdCoder
from two_tower_assets.sources.type_coder import TypeCoder

_POSTGRES_EPOCH: Final = 946_684_800_000_000
"""2000-01-01 in microseconds since the Unix epoch: Postgres counts from there."""
_HEADER: Final = 19
"""Bytes before the first row of a binary COPY without options; the end mark is a row of two bytes."""
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("user_length", ">i4"), ("user", "V16"),
        ("video_length", ">i4"), ("video", "V16"),
        ("time_length", ">i4"), ("time", ">i8"),
        ("kind_length", ">i4"), ("kind", "V8"),
    ]
)  # fmt: skip
"""One row of `snapshot_decisions.sql` in binary COPY."""
_CODED_AT_ONCE: Final = 1 << 17
"""Rows whose ids are looked up together, at least."""


@dataclass(frozen=True)
class Counted:
    """What there is to copy, counted before."""

    cutoff: datetime
    rows: int
    left_out: Mapping[str, int]


def count_decisions(connection: psycopg.Connection[Any], cutoff: datetime | None) -> Counted | None:
    """Count decisions before `cutoff` (None: up to the last so far); returns None when there is no last."""
    cutoff = cutoff or _just_after_the_last(connection)
    if cutoff is None:
        return None
    found = connection.execute(sql.SQL(query("snapshot_decision_counts")).format(cutoff=cutoff)).fetchone()
    assert found is not None, "an aggregate without groups gives one row"
    before, untyped, later, decisions = found
    left_out = {
        "at or after the cut-off": later,
        "without a time": decisions - before - later,
        "without a type": untyped,
    }
    return Counted(
        cutoff=cutoff,
        rows=before - untyped,
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _just_after_the_last(connection: psycopg.Connection[Any]) -> datetime | None:
    found = connection.execute(query("snapshot_cutoff")).fetchone()
    assert found is not None, "an aggregate without groups gives one row"
    last: datetime | None = found[0]
    return last


def copy_decisions(connection: psycopg.Connection[Any], counted: Counted, progress: Progress) -> CopiedDecisions:
    """Copy the counted decisions; must run in the transaction that counted them.

    Raises:
        SourceDataError: there are too many types of decisions.
    """
    rows_wanted = sql.SQL(query("snapshot_decisions")).format(cutoff=counted.cutoff)
    statement = sql.SQL("copy ({}) to stdout (format binary)").format(rows_wanted)
    columns = CopiedDecisions(counted.rows)
    waiting: list[NDArray[np.void]] = []
    received, skip = 0, _HEADER
    with ThreadPoolExecutor(1) as beside:
        coded: Future[None] = beside.submit(columns.add, ())
        for block in copy_out(connection, statement.as_string(connection)):
            waiting.append(np.frombuffer(block, dtype=_ROW, offset=skip, count=(len(block) - skip) // _ROW.itemsize))
            skip, received = 0, received + len(waiting[-1])
            progress(received, counted.rows)
            if sum(map(len, waiting)) >= columns.at_once:
                # The blocks before must be done: as many more as this would be held if coding fell behind.
                coded.result()
                coded, waiting = beside.submit(columns.add, waiting), []
        coded.result()
    columns.add(waiting)
    assert columns.done == counted.rows, "one snapshot of the database holds one number of rows"
    columns.name_types(connection)
    return columns


class CopiedDecisions:
    """Columns of all rows; ids and types as numbers in the order in which they came."""

    def __init__(self, rows: int) -> None:
        self.done = 0
        self._types = TypeCoder()
        self._ids = {"user": IdCoder(), "video": IdCoder()}
        self._codes = {name: np.empty(rows, dtype=np.uint32) for name in self._ids}
        self._time, self._kind = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int16)
        self._names: tuple[str, ...] = ()
        self._type_place = np.empty(0, dtype=np.int16)

    @property
    def at_once(self) -> int:
        """How many rows to add together: each time, all ids that are known are looked through once."""
        return max(_CODED_AT_ONCE, *map(len, self._ids.values()))

    def add(self, blocks: Sequence[NDArray[np.void]]) -> None:
        """Append rows as they come."""
        if not blocks:
            return
        at = slice(self.done, self.done + sum(map(len, blocks)))
        id_of = {name: np.concatenate([rows[name] for rows in blocks]) for name in self._ids}
        for name, ids in self._ids.items():
            self._codes[name][at] = ids.codes(id_of[name])
        np.concatenate([rows["time"] for rows in blocks], out=self._time[at])
        hashed = np.concatenate([rows["kind"] for rows in blocks])
        self._kind[at] = self._types.codes(hashed, id_of["user"], id_of["video"])
        self.done = at.stop

    def name_types(self, connection: psycopg.Connection[Any]) -> None:
        """Ask for the names of the types that came."""
        self._names, self._type_place = self._types.in_order(connection)

    def sorted(self) -> DecisionLog:
        """Return all rows by user, time and video; the columns are given up."""
        users, user_place = self._ids["user"].in_order()
        videos, video_place = self._ids["video"].in_order()
        self._time += _POSTGRES_EPOCH
        user, video = user_place[self._codes.pop("user")], video_place[self._codes.pop("video")]
        kind = 1 + self._type_place[self._kind]
        return DecisionLog(in_order(user, self._time, video, kind), users, videos, self._names)

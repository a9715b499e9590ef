"""All decisions before a moment as coded columns: read from Postgres, sorted, hashed and written as parquet.

The hot path of a snapshot. Ids stay 128-bit numbers until the parquet's dictionaries, which hold each id once as
text; a million rows never become a million strings. What does not live here: the snapshot around it (`snapshot`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from two_tower_assets.database.queries import query
from two_tower_assets.progress import Progress
from two_tower_assets.sources.canonical import Canonical
from two_tower_assets.sources.coerce import hyphenated
from two_tower_assets.sources.copying import copy_out

_POSTGRES_EPOCH: Final = 946_684_800_000_000
"""2000-01-01 in microseconds since the Unix epoch: Postgres counts from there."""
_HEADER: Final = 19
"""Bytes before the first row of a binary COPY without options; the end mark is a row of two bytes."""
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("user_length", ">i4"), ("user_high", ">u8"), ("user_low", ">u8"),
        ("video_length", ">i4"), ("video_high", ">u8"), ("video_low", ">u8"),
        ("time_length", ">i4"), ("time", ">i8"),
        ("kind_length", ">i4"), ("kind", ">i2"),
    ]
)  # fmt: skip
"""One row of `snapshot_decisions.sql` in binary COPY."""
_COLUMNS: Final[Mapping[str, type]] = {
    "user_high": np.uint64,
    "user_low": np.uint64,
    "time": np.int64,
    "video_high": np.uint64,
    "video_low": np.uint64,
    "kind": np.int16,
}
_ROW_GROUP: Final = 1 << 20
_CODED_AT_ONCE: Final = 1 << 22
"""Rows whose ids are looked up together: hash tables of all rows would be most of the memory."""
_DICTIONARY_BYTES: Final = 1 << 28
"""Above any dictionary of a row group: parquet writers else give up coding at 1 MiB and write every id out."""


@dataclass(frozen=True)
class DecisionTypes:
    """What there is to copy, counted before."""

    cutoff: datetime
    names: tuple[str, ...]
    """Types that occur before the cut-off, sorted; a row names its type by its place from 1."""
    rows: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class DecisionLog:
    """Decisions sorted by user, time and video, ids as places in tables of distinct ids."""

    frame: pl.DataFrame
    """`user` and `video` (places), `time` (int64 microseconds), `kind` (place in `names`, from 1)."""
    users: Ids
    videos: Ids
    names: tuple[str, ...]

    def content_hash(self) -> str:
        """Hex SHA-256 of the sorted rows, the ids that occur, and the names of the types."""
        digest = Canonical()
        digest.label("decision_type", len(self.names))
        digest.series(pl.Series(list(self.names), dtype=pl.String))
        for name, ids in (("user_id", self.users), ("video_id", self.videos)):
            digest.label(name, len(ids.pairs))
            digest.numbers(ids.pairs, ">u8")
        for name, kind in (("user", "<u4"), ("time", "<i8"), ("video", "<u4"), ("kind", "<i2")):
            digest.label(name, self.frame.height)
            digest.numbers(self.frame[name].to_numpy(), kind)
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write parquet with `user_id`, `video_id`, `decision_type` (text) and `created_at` (microseconds, UTC)."""
        user_text, video_text = self.users.text(), self.videos.text()
        names = pa.array(list(self.names), pa.string())
        with _writer(path) as writer:
            for rows in self.frame.iter_slices(_ROW_GROUP):
                # Rows are sorted by user: a row group needs the ids of its own users only.
                first, last = rows["user"][0], rows["user"][-1]
                columns = [
                    _coded(rows["user"] - first, user_text.slice(first, last - first + 1)),
                    _coded(rows["video"], video_text),
                    _coded(rows["kind"] - 1, names),
                    pa.array(rows["time"].to_numpy(), pa.timestamp("us", "UTC")),
                ]
                writer.write_table(pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), schema=_SCHEMA))


@dataclass(frozen=True)
class Ids:
    """Distinct ids in order."""

    pairs: np.ndarray[Any, np.dtype[np.uint64]]
    """[N, 2]: both halves of each id."""

    @classmethod
    def of(cls, high: pl.Series, low: pl.Series) -> tuple[Ids, pl.Series]:
        """Return the distinct ids and the place of each given one (uint32)."""
        given = pl.DataFrame({"high": high, "low": low})
        distinct = given.clear()
        for rows in given.iter_slices(_CODED_AT_ONCE):
            distinct = pl.concat([distinct, rows]).unique()
        table = distinct.sort("high", "low").with_row_index("place")
        # One half tells ids apart, unless two of them share it.
        keys = ["high"] if table["high"].n_unique() == table.height else ["high", "low"]
        places = [
            rows.select(keys).join(table, on=keys, how="left", maintain_order="left")["place"]
            for rows in given.iter_slices(_CODED_AT_ONCE)
        ]
        return cls(table.select("high", "low").to_numpy()), pl.concat([table["place"].clear(), *places])

    def text(self) -> pa.Array[Any]:
        """Return the ids as text, in order."""
        raw = pa.py_buffer(self.pairs.astype(">u8", order="C").tobytes())
        binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(self.pairs), [None, raw])
        digits = pl.Series(pl.from_arrow(binary), dtype=pl.Binary).bin.encode("hex")
        return hyphenated(digits).to_arrow().cast(pa.string())


def _coded(places: pl.Series, text: pa.Array[Any]) -> pa.DictionaryArray[Any, Any]:
    return pa.DictionaryArray.from_arrays(pa.array(places.to_numpy(), pa.int32()), text)


_CODED: Final = pa.dictionary(pa.int32(), pa.string())
_SCHEMA: Final = pa.schema(
    [
        ("user_id", _CODED),
        ("video_id", _CODED),
        ("decision_type", _CODED),
        ("created_at", pa.timestamp("us", "UTC")),
    ]
)


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        _SCHEMA,
        compression="zstd",
        use_dictionary=["user_id", "video_id", "decision_type"],  # type: ignore[arg-type]  # stubs: bool only
        column_encoding={"created_at": "DELTA_BINARY_PACKED"},
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        # Readers see plain text columns, not Arrow's dictionaries.
        store_schema=False,
    )


def count_decisions(connection: psycopg.Connection[Any], cutoff: datetime | None) -> DecisionTypes | None:
    """Count decisions by type before `cutoff` (None: up to the last so far); returns None when there is no last."""
    cutoff = cutoff or _just_after_the_last(connection)
    if cutoff is None:
        return None
    rows = connection.execute(sql.SQL(query("snapshot_decision_types")).format(cutoff=cutoff)).fetchall()
    typed = sorted((name, before) for name, _, before, _ in rows if name is not None and before)
    left_out = {
        "at or after the cut-off": sum(later for *_, later in rows),
        "without a time": sum(decisions - before - later for _, decisions, before, later in rows),
        "without a type": sum(before for name, _, before, _ in rows if name is None),
    }
    return DecisionTypes(
        cutoff=cutoff,
        names=tuple(name for name, _ in typed),
        rows=sum(before for _, before in typed),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _just_after_the_last(connection: psycopg.Connection[Any]) -> datetime | None:
    found = connection.execute(query("snapshot_cutoff")).fetchone()
    assert found is not None, "an aggregate without groups gives one row"
    last: datetime | None = found[0]
    return last


def read_decisions(connection: psycopg.Connection[Any], types: DecisionTypes, progress: Progress) -> DecisionLog:
    """Copy the counted decisions and sort them; must run in the transaction that counted them."""
    places = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(name, place) for place, name in enumerate(types.names, start=1)
    )
    rows_wanted = sql.SQL(query("snapshot_decisions")).format(places=places, cutoff=types.cutoff)
    statement = sql.SQL("copy ({}) to stdout (format binary)").format(rows_wanted)
    columns: dict[str, np.ndarray[Any, Any]] = {
        name: np.empty(types.rows, dtype=kind) for name, kind in _COLUMNS.items()
    }
    done = 0
    skip = _HEADER
    for block in copy_out(connection, statement.as_string(connection)):
        rows = np.frombuffer(block, dtype=_ROW, offset=skip, count=(len(block) - skip) // _ROW.itemsize)
        for name, column in columns.items():
            column[done : done + len(rows)] = rows[name]
        skip, done = 0, done + len(rows)
        progress(done, types.rows)
    assert done == types.rows, "one snapshot of the database holds one number of rows"
    return _sorted(columns, types.names)


def _sorted(columns: dict[str, np.ndarray[Any, Any]], names: tuple[str, ...]) -> DecisionLog:
    """Code ids and sort; halves of ids leave `columns` once they are coded, since they are most of the memory."""
    users, user = Ids.of(*(pl.Series(columns.pop(name)) for name in ("user_high", "user_low")))
    videos, video = Ids.of(*(pl.Series(columns.pop(name)) for name in ("video_high", "video_low")))
    time = columns.pop("time")
    time += _POSTGRES_EPOCH
    coded = pl.DataFrame({"user": user, "time": time, "video": video, "kind": columns.pop("kind")})
    return DecisionLog(coded.sort("user", "time", "video"), users, videos, names)

"""A snapshot's decisions as numbers, read row group by row group: no column of ids is ever held as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from two_tower_assets.features.kinds import decision_kind

_ROWS: Final = 1 << 20
"""Rows looked at together: those of a row group."""


@dataclass(frozen=True, eq=False)
class DecisionColumns:
    """Decisions by user, time and video; U users, D decisions."""

    user_ids: pl.Series
    """[U] text, those of the users who decided, sorted."""
    user_rows: NDArray[np.int64]
    """[U]: decisions of each."""
    video: NDArray[np.int32]
    """[D]: place among the given videos, −1 where there is no such video."""
    kind: NDArray[np.int8]
    """[D]: see `kinds`."""
    time: NDArray[np.int64]
    """[D]: microseconds since the Unix epoch, UTC."""


def read_columns(path: Path, video_ids: pl.Series) -> DecisionColumns:
    """Read a snapshot's `decisions.parquet`.

    Args:
        path: rows sorted by user, time and video, as a snapshot writes them.
        video_ids: [V] text, distinct.
    """
    with pq.ParquetFile(path, read_dictionary=["user_id", "video_id", "decision_type"]) as file:
        rows = file.metadata.num_rows
        video, kind, time = np.empty(rows, np.int32), np.empty(rows, np.int8), np.empty(rows, np.int64)
        videos = pl.DataFrame({"text": video_ids, "place": np.arange(len(video_ids), dtype=np.int32)})
        runs: list[pl.DataFrame] = []
        done = 0
        for batch in _batches(file):
            block = slice(done, done + batch.num_rows)
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            video[block] = _places(_texts(columns["video_id"]), videos)[_codes(columns["video_id"])]
            kind[block] = _kinds(_texts(columns["decision_type"]))[_codes(columns["decision_type"])]
            time[block] = columns["created_at"].cast(pa.int64()).to_numpy()
            runs.append(_runs(columns["user_id"]))
            done = block.stop
    users = _joined(runs)
    return DecisionColumns(users["user_id"], users["rows"].to_numpy(), video, kind, time)


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """Row groups as a whole, whose columns are decoded side by side, in blocks."""
    for group in range(file.num_row_groups):
        yield from file.read_row_group(group).to_batches(_ROWS)


def _texts(column: pa.Array[Any]) -> pl.Series:
    """Distinct texts of a coded column."""
    assert isinstance(column, pa.DictionaryArray)
    return pl.Series("text", pl.from_arrow(column.dictionary), dtype=pl.String)


def _codes(column: pa.Array[Any]) -> NDArray[np.int32]:
    """Place of each row's text among them."""
    assert isinstance(column, pa.DictionaryArray)
    codes: NDArray[np.int32] = column.indices.to_numpy()
    return codes


def _places(texts: pl.Series, videos: pl.DataFrame) -> NDArray[np.int32]:
    found = pl.DataFrame({"text": texts}).join(videos, on="text", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy()


def _kinds(texts: pl.Series) -> NDArray[np.int8]:
    return pl.DataFrame({"decision_type": texts}).select(decision_kind()).to_series().to_numpy()


def _runs(column: pa.Array[Any]) -> pl.DataFrame:
    """Users behind one another and how many rows each has."""
    code = _codes(column)
    starts = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    return pl.DataFrame(
        {"user_id": _texts(column).gather(code[starts]), "rows": np.diff(np.append(starts, len(code)))}
    )


def _joined(runs: list[pl.DataFrame]) -> pl.DataFrame:
    """Put blocks behind one another; a user may go on in the next one."""
    none = pl.DataFrame(schema={"user_id": pl.String, "rows": pl.Int64})
    together = pl.concat([none, *runs]).group_by("user_id", maintain_order=True).agg(pl.col("rows").sum())
    assert together["user_id"].is_sorted(), "a snapshot's decisions are sorted by user"
    return together

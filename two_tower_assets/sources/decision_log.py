"""All decisions before a moment as sorted, coded columns, their hash and their parquet.

Ids stay numbers until the parquet's dictionaries, which hold each once as text; a million rows never become a
million strings. What does not live here: how they are read (`decision_copy`), and the snapshot around them
(`snapshot`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from two_tower_assets.sources.canonical import Canonical
from two_tower_assets.sources.ids import Ids

_ROW_GROUP: Final = 1 << 20
_DICTIONARY_BYTES: Final = 1 << 28
"""Above any dictionary of a row group: parquet writers else give up coding at 1 MiB and write every id out."""


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
        # Finding the least and the largest text of a million takes as long as all the rest of writing them.
        write_statistics=["created_at"],
        # Readers see plain text columns, not Arrow's dictionaries.
        store_schema=False,
    )

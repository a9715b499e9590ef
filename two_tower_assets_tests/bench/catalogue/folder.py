"""A catalogue as a folder of rows (`make run DATA=folder`), written block by block of users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from two_tower_assets.contract import Tables
from two_tower_assets.home import replacing
from two_tower_assets_tests.bench.catalogue.decisions import TYPES, Rows, decide
from two_tower_assets_tests.bench.catalogue.ids import ids
from two_tower_assets_tests.bench.catalogue.people import People, make_people, profiles
from two_tower_assets_tests.bench.catalogue.size import Size
from two_tower_assets_tests.bench.catalogue.videos import make_videos

BLOCK: Final = 1 << 18
"""Decisions made at once."""

_CODED: Final = pa.dictionary(pa.int32(), pa.string())
_DECISIONS: Final = pa.schema(
    [
        ("user_id", _CODED),
        ("video_id", _CODED),
        ("decision_type", _CODED),
        ("created_at", pa.timestamp("us", "UTC")),
    ]
)
_PROFILES: Final = pa.schema([("user_id", pa.large_string()), ("created_at", pa.timestamp("us", "UTC"))])
_DICTIONARY_BYTES: Final = 1 << 28


def write_catalogue(folder: Path, size: Size, *, seed: int = 0, block: int = BLOCK) -> int:
    """Write `videos`, `profiles` and `user_video_decisions`, and return the number of decisions.

    Args:
        folder: made when missing; files of the same names are replaced.
        size: decisions, users and videos; a hundredth of the decisions may be missing.
        seed: the same gives the same bytes.
        block: decisions made at once, which the bytes depend on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    videos, table = make_videos(size.videos, seed)
    table.write_parquet(folder / f"{Tables.VIDEOS}.parquet")
    people = make_people(size, seed)
    video_ids = ids("video", np.arange(size.videos)).to_arrow().cast(pa.string())
    done = 0
    with (
        replacing(folder / f"{Tables.DECISIONS}.parquet") as decisions_path,
        replacing(folder / f"{Tables.PROFILES}.parquet") as profiles_path,
        pq.ParquetWriter(
            decisions_path,
            _DECISIONS,
            compression="zstd",
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            store_schema=False,
        ) as decisions_file,
        pq.ParquetWriter(profiles_path, _PROFILES, compression="zstd", store_schema=False) as profiles_file,
    ):
        for users in _blocks(people, block):
            rows = decide(people, videos, users, seed)
            decisions_file.write_table(_coded(rows, users, video_ids))
            profiles_file.write_table(profiles(people, users).to_arrow().cast(_PROFILES))
            done += len(rows.user)
    return done


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Readers see plain text columns, not Arrow's dictionaries.
    return pq.ParquetWriter(
        path, schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES, store_schema=False
    )


def _blocks(people: People, block: int) -> Iterator[range]:
    """Users behind one another who decide about `block` times together, at least one."""
    before, first = people.decisions_before, 0
    while first < len(before) - 1:
        end = max(first + 1, int(np.searchsorted(before, before[first] + block, side="right")) - 1)
        yield range(first, end)
        first = end


def _coded(rows: Rows, users: range, video_ids: pa.Array[Any]) -> pa.Table:
    user_ids = ids("user", np.arange(users.start, users.stop)).to_arrow().cast(pa.string())
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(rows.user - users.start, pa.int32()), user_ids),
        pa.DictionaryArray.from_arrays(pa.array(rows.video, pa.int32()), video_ids),
        pa.DictionaryArray.from_arrays(pa.array(rows.kind, pa.int32()), pa.array(TYPES, pa.string())),
        pa.array(rows.time, pa.timestamp("us", "UTC")),
    ]
    return pa.table(dict(zip(_DECISIONS.names, columns, strict=True)), schema=_DECISIONS)

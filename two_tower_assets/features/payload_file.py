"""The file of payloads: rows of `id` and `payload` (JSON text) by id, `page` of them a row group.

However the pages came, the same rows give the same bytes. What does not live here: where they come from (`payloads`,
`rest_payloads`) and what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

Row = tuple[str, str]

_SCHEMA: Final = pa.schema(
    [pa.field("id", pa.string(), nullable=False), pa.field("payload", pa.string(), nullable=False)]
)


def write_payloads(path: Path, pages: Iterable[Sequence[Row]], *, page: int) -> int:
    """Write all pages, of any size, and return the number of rows; `page` is that of a row group."""
    done = 0
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for rows in _groups(pages, page):
            ids, payloads = zip(*rows, strict=True)
            writer.write_table(pa.table({"id": ids, "payload": payloads}, schema=_SCHEMA))
            done += len(rows)
    return done


def _groups(pages: Iterable[Sequence[Row]], size: int) -> Iterator[list[Row]]:
    """Cut rows that come in pages of any size into groups of one size; the last may be smaller."""
    waiting: list[Row] = []
    for rows in pages:
        waiting += rows
        while len(waiting) >= size:
            yield waiting[:size]
            del waiting[:size]
    if waiting:
        yield waiting

"""Are the vectors in a table those of the file? Read back byte for byte, in the file's order.

What does not live here: whether the index finds them (`ann_check`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.artifacts.embeddings import read_blocks, read_ids
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.copy_format import HEADER, ROW, TRAILER, decode_rows, uuid_bytes
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection

_REMEDY: Final = "Publish the version again."
_BLOCK: Final = 4096


def same_blocks(
    connection: Connection, table: str, path: Path, *, may_have_others: bool = False
) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
    """Yield (ids, vectors) of the file, block by block, each as soon as the table was found to hold the same.

    Args:
        connection: to the serving database.
        table: qualified name.
        path: the version's `video_embeddings.parquet`.
        may_have_others: whether further videos may lie in the table, as in a live version's that has gained some.

    Raises:
        PublishingError: the table lacks a row of the file, has another, or one differs; the text names the first.
    """
    rows = 0
    only = read_ids(path) if may_have_others else None
    # Closed also when the comparison fails: a connection in the middle of a COPY answers nothing else.
    with closing(_rows_of(connection, table, only)) as stored:
        for ids, vectors_ND in read_blocks(path):
            _require_same(next(stored, None), ids, vectors_ND, table)
            rows += len(ids)
            yield ids, vectors_ND
        if next(stored, None) is not None:
            raise PublishingError(f"{table} has more rows than the {rows} of the file", where=table, remedy=_REMEDY)


def _rows_of(
    connection: Connection, table: str, only: NDArray[np.str_] | None
) -> Generator[NDArray[np.void], None, None]:
    """Yield the table's rows in blocks, ordered by id (uuids order as their text does)."""
    where = sql.SQL("true" if only is None else "video_id = any ({}::uuid[])")
    statement = sql.SQL(
        "copy (select video_id, embedding from {} where {} order by video_id) to stdout (format binary)"
    ).format(qualified(table), where if only is None else where.format(sql.Literal(only.tolist())))
    size = _BLOCK * ROW.itemsize
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        pending = bytearray()
        skip = len(HEADER)
        for piece in copy:
            pending += piece
            if skip and len(pending) >= skip:
                del pending[:skip]
                skip = 0
            while not skip and len(pending) >= size:
                yield decode_rows(bytes(pending[:size]))
                del pending[:size]
        if rest := bytes(pending[: len(pending) - len(TRAILER)]):
            yield decode_rows(rest)


def _require_same(
    stored: NDArray[np.void] | None, ids: NDArray[np.str_], vectors_ND: NDArray[np.float32], table: str
) -> None:
    count = 0 if stored is None else len(stored)
    same = np.zeros(len(ids), np.bool_)
    if stored is not None and count:
        shared = min(count, len(ids))
        same_id = (stored["id"][:shared] == uuid_bytes(ids[:shared])).all(axis=1)
        same[:shared] = same_id & (stored["vector"][:shared] == vectors_ND[:shared]).all(axis=1)
    if count != len(ids) or not same.all():
        first = ids[~same][0] if not same.all() else "an unknown video"
        raise PublishingError(
            f"{table} does not hold what the file does, beginning with {first}", where=table, remedy=_REMEDY
        )

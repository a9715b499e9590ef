"""COPY in both directions, in blocks of bytes: out of Postgres, and polars frames into it.

What does not live here: which rows, and what is made of the bytes (`snapshot`, `load`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import polars as pl
import psycopg
from psycopg.pq import ExecStatus

_BLOCK: Final = 1 << 22
_ROWS_A_BLOCK: Final = 50_000
_NULL: Final = r"\N"


def copy_out(connection: psycopg.Connection[Any], statement: str) -> Iterator[bytearray]:
    """Yield the output of a `copy … to stdout` in blocks of about 4 MiB that end with a row.

    Reads libpq directly: it hands out one row at a time, and psycopg's `Copy` spends as long on each row as the
    server does. The connection must be in a transaction already, and all blocks must be consumed.

    Raises:
        psycopg.Error: what Postgres refused.
    """
    libpq = connection.pgconn
    started = libpq.exec_(statement.encode())
    if started.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(started)
    block = bytearray()
    while True:
        size, row = libpq.get_copy_data(0)
        if size < 0:
            break
        block += row
        if len(block) >= _BLOCK:
            yield block
            block = bytearray()
    if block:
        yield block
    # The connection is free again only when every result was taken.
    results = list(iter(libpq.get_result, None))
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)


def copy_in(connection: psycopg.Connection[Any], table: str, frame: pl.DataFrame) -> None:
    """Append a frame's rows to a table whose columns have the same names; lists of text become `text[]`."""
    columns = ", ".join(frame.columns)
    flat = frame.with_columns(_array_text(name) for name, kind in frame.schema.items() if isinstance(kind, pl.List))
    statement = f"copy {table} ({columns}) from stdin (format csv, null '{_NULL}')"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for rows in flat.iter_slices(_ROWS_A_BLOCK):
            block = io.BytesIO()
            # Text is quoted and null is not, so a text that looks like the null mark stays a text.
            rows.write_csv(block, include_header=False, null_value=_NULL, quote_style="non_numeric")
            copy.write(block.getvalue())


def _array_text(name: str) -> pl.Expr:
    """Write lists of text as Postgres array text: every item quoted, backslash and quote escaped."""
    item = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    quoted = pl.col(name).list.eval(pl.lit('"') + item + pl.lit('"')).list.join(",")
    return pl.when(pl.col(name).is_not_null()).then(pl.lit("{") + quoted + pl.lit("}")).alias(name)

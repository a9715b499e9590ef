"""Tables of vectors of any size, made and filled as a release makes them, and timing what is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, encode_rows
from two_tower_assets.publishing.writer import Connection
from two_tower_assets_tests.bench.cost import Cost
from two_tower_assets_tests.bench.report import Line, Moved

MIB: Final = 1 << 20
BLOCK: Final = 25_000

_CENTRES: Final = 400
_SPREAD: Final = 1.5
"""Length of what a vector has of its own beside its centre of length 1: tastes overlap."""
_SCATTER: Final = 2_654_435_761
"""Knuth's multiplier: numbers in a row become ids in no order, as people's are."""

_T = TypeVar("_T")


def version_of(number: int) -> str:
    """Name a model version."""
    return f"20260301T12{number:02d}00Z-0123456"


def new_video_table(connection: Connection, number: int = 0) -> str:
    """Make a version's tables anew and empty; returns the name of the videos' one."""
    version = version_of(number)
    connection.execute(
        "insert into public.model_releases (model_version) values (%s) on conflict do nothing", (version,)
    )
    (table,) = row_of(connection, "select two_tower.create_video_embeddings(%s)", version)
    return str(table)


def new_user_table(connection: Connection, number: int = 0) -> str:
    """Make a version's tables anew and empty; returns the name of the users' one."""
    return new_video_table(connection, number).replace("video_embeddings_", "user_embeddings_")


def fill(connection: Connection, table: str, key: str, rows: int) -> None:
    """COPY vectors into a table, block by block."""
    statement = sql.SQL("copy {} ({}, embedding) from stdin (format binary)").format(
        sql.Identifier(*table.split(".")), sql.Identifier(key)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for begin in range(0, rows, BLOCK):
            numbers = range(begin, min(begin + BLOCK, rows))
            copy.write(encode_rows(ids_of(numbers), vectors(len(numbers), seed=begin)))
        copy.write(TRAILER)


def ids_of(numbers: Sequence[int]) -> NDArray[np.str_]:
    """Return uuids, str [N]."""
    return np.array([f"{number * _SCATTER % (1 << 32):08x}-0000-4000-8000-{number:012x}" for number in numbers])


def vectors(rows: int, seed: int) -> NDArray[np.float32]:
    """Return float32 [N, 256] of unit length around common centres, as towers make them of tastes."""
    centres = np.random.default_rng(0).normal(size=(_CENTRES, EMBEDDING_DIM)) / np.sqrt(EMBEDDING_DIM)
    random = np.random.default_rng((1, seed))
    own = random.standard_normal((rows, EMBEDDING_DIM), np.float32) * np.float32(_SPREAD / np.sqrt(EMBEDDING_DIM))
    around = own + centres.astype(np.float32)[random.integers(0, _CENTRES, rows)]
    return np.asarray(around / np.linalg.norm(around, axis=1, keepdims=True), np.float32)


def row_of(connection: Connection, statement: str, *parameters: object) -> tuple[object, ...]:
    """Return the one row of a statement."""
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return tuple(row)


def timed(work: Callable[[], _T]) -> tuple[float, _T]:
    """Return the seconds of a call, and what it returned."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def line(
    what: str, figure: str, against: str, ratio: float, bound: float, *, cost: Cost, moved: Moved | None = None
) -> Line:
    """Return a line of this benchmark, whose ratios are all of more against less."""
    return Line(
        stage="scale",
        what=what,
        figure=figure,
        against=against,
        ratio=ratio,
        target=f"<= {bound} x",
        met=ratio <= bound,
        seconds=cost.seconds,
        peak_mib=cost.grown_mib,
        moved=moved,
    )

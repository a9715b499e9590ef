"""COPY of a version's vectors from its parquet file, beside copying the very same bytes back from a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from psycopg import sql

from two_tower_assets.artifacts.embeddings import write_video_embeddings
from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.vectors import copy_vectors, qualified
from two_tower_assets.publishing.writer import Connection
from two_tower_assets_tests.artifacts.versions import feature_space, items, towers, video_inputs
from two_tower_assets_tests.bench.cost import Cost, measured, together
from two_tower_assets_tests.bench.report import Line, Moved

VIDEOS = 50_000
VERSION = "20260301T123000Z-0123456"
REPEATS = 5
_READ = 1 << 20


def measure() -> Iterator[Line]:
    """Yield the time of the COPY into the unindexed table against its floor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        try:
            url = postgres.ensure_database("bench")
            migrate(url)
            _write_vectors(folder)
            with connect(url, autocommit=True) as connection:
                yield _line(connection, folder)
        finally:
            postgres.destroy()


def _write_vectors(folder: Path) -> None:
    space = feature_space()
    torch.manual_seed(0)
    matrix = items(space, VIDEOS)
    inputs = video_inputs(matrix, space)
    write_video_embeddings(folder / Files.VIDEO_EMBEDDINGS, towers(space).item, inputs, np.ones(VIDEOS, np.bool_))


def _line(connection: Connection, folder: Path) -> Line:
    connection.execute("insert into public.model_releases (model_version) values (%s)", (VERSION,))
    ours, floor = [], []
    for turn in range(REPEATS):
        ours.append(_timed_copy(connection, folder, afresh=turn == 0))
        _dump(connection, folder / "vectors.copy")
        floor.append(_timed_copy_back(connection, folder / "vectors.copy"))
    best, back = together(ours), together(floor).seconds
    ratio = best.seconds / back
    return Line(
        stage="publishing",
        what=f"COPY of {VIDEOS} x 256 from parquet into the unindexed table",
        figure=f"{best.seconds:.2f} s",
        against=f"the same bytes back from a file: {back:.2f} s",
        ratio=ratio,
        target="<= 2.0 x",
        met=ratio <= 2,
        seconds=best.seconds,
        peak_mib=best.grown_mib,
        moved=Moved((folder / "vectors.copy").stat().st_size, "bytes"),
    )


def _new_table(connection: Connection) -> str:
    row = connection.execute("select two_tower.create_video_embeddings(%s)", (VERSION,)).fetchone()
    assert row is not None
    return str(row[0])


def _timed_copy(connection: Connection, folder: Path, *, afresh: bool) -> Cost:
    with connection.transaction():
        table = _new_table(connection)
        with measured(afresh=afresh) as cost:
            rows = copy_vectors(connection, table, folder)
    assert rows == VIDEOS
    return cost


def _timed_copy_back(connection: Connection, path: Path) -> Cost:
    with connection.transaction():
        table = _new_table(connection)
        copying = _copy(table, "from stdin")
        with (
            measured(afresh=False) as cost,
            connection.cursor() as cursor,
            cursor.copy(copying) as copy,
            path.open("rb") as file,
        ):
            while block := file.read(_READ):
                copy.write(block)
    return cost


def _dump(connection: Connection, path: Path) -> None:
    row = connection.execute("select vector_table from public.model_releases").fetchone()
    assert row is not None
    with connection.cursor() as cursor, cursor.copy(_copy(row[0], "to stdout")) as copy, path.open("wb") as file:
        for piece in copy:
            file.write(piece)


def _copy(table: str, direction: str) -> sql.Composed:
    # Not frozen, and with no more than the client's own defaults: what anybody gets who copies the file back.
    return sql.SQL("copy {} (video_id, embedding) {} (format binary)").format(qualified(table), sql.SQL(direction))

"""A version's video vectors in the serving database, prepared where no reader looks.

Everything is one transaction: table, COPY, key, index and the registry's row appear together or not at all, so a
crash leaves nothing half-made, and the rows can be written frozen. What does not live here: checking the
vectors (`vector_check`) and making them live (`release`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import psycopg
from psycopg import sql

from two_tower_assets.artifacts.embeddings import count_rows, largest_norm_error, read_blocks
from two_tower_assets.artifacts.manifest import Manifest, manifest_hash
from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError, PublishingError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, encode_rows
from two_tower_assets.publishing.registry import Release, read_release
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import ReleaseSettings

_T = TypeVar("_T")

_INDEX_WORKERS: Final = 4
"""Helpers that the index build may ask for; the server gives what it has."""
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Staged:
    """Where a version's vectors lie."""

    model_version: str
    table: str
    """Qualified name."""
    rows: int
    written: bool
    """False when the same vectors lay there already and nothing was touched."""


def stage_vectors(
    connection: Connection,
    url: str,
    folder: Path,
    manifest: Manifest,
    *,
    settings: ReleaseSettings,
    progress: Progress = silent,
) -> Staged:
    """Write and index the vectors of a version whose folder was verified.

    Args:
        connection: holds the writer's lock.
        url: of the same database; the index build is watched from a second connection.
        folder: the version's folder.
        manifest: of the folder.
        settings: index parameters.
        progress: rows copied, then rows indexed, of twice the number of rows.

    Raises:
        PublishingError: the version has no vectors, one of them is unusable, or the version went live before
            with other files.
        ArtifactError: the vectors' file is missing or is no such file.
    """
    digest = manifest_hash(folder)
    release = read_release(connection, manifest.model_version)
    _refuse_unusable(manifest, release, digest)
    if release is not None and is_staged(connection, release, digest):
        assert release.vector_table is not None
        return Staged(release.model_version, release.vector_table, release.video_count or 0, written=False)
    return _write(
        connection,
        url,
        folder,
        version=manifest.model_version,
        digest=digest,
        settings=settings,
        progress=progress,
    )


def is_staged(connection: Connection, release: Release, digest: str) -> bool:
    """Whether the vectors of exactly this manifest are whole and indexed.

    A live version's are never judged by their number: vectors upserted for new videos land there too.
    """
    if release.manifest_hash != digest or release.vector_table is None or release.state == "failed":
        return False
    return release.state == "live" or _is_complete(connection, release)


def _write(
    connection: Connection,
    url: str,
    folder: Path,
    *,
    version: str,
    digest: str,
    settings: ReleaseSettings,
    progress: Progress,
) -> Staged:
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        connection.execute(query("release_register"), {"model_version": version})
        table = _scalar(connection, "select two_tower.create_video_embeddings(%s)", version)
        rows = copy_vectors(connection, table, folder, progress=lambda done, total: progress(done, 2 * total))
        with _watched(url, connection.info.backend_pid, rows, progress):
            _index(connection, version, settings)
        facts = {"manifest_hash": digest, "artifact_prefix": version, "video_count": rows}
        connection.execute(query("release_staged"), {"model_version": version, **facts})
    progress(2 * rows, 2 * rows)
    return Staged(version, table, rows, written=True)


def copy_vectors(connection: Connection, table: str, folder: Path, *, progress: Progress = silent) -> int:
    """COPY the folder's vectors into a table made in the same transaction; return the number of rows.

    `model_version` and `updated_at` are the table's defaults and need not travel.
    """
    path = folder / Files.VIDEO_EMBEDDINGS
    total, rows = count_rows(path), 0
    with (
        connection.cursor() as cursor,
        cursor.copy(_copy_statement(table)) as copy,
        closing(_one_ahead(_encoded(path))) as blocks,
    ):
        copy.write(HEADER)
        for count, block in blocks:
            copy.write(block)
            rows += count
            progress(rows, total)
        copy.write(TRAILER)
    return rows


def _encoded(path: Path) -> Iterator[tuple[int, memoryview]]:
    for ids, vectors in read_blocks(path):
        largest_norm_error(ids, vectors, where=str(path))
        yield len(ids), encode_rows(ids, vectors)


def _one_ahead(blocks: Iterator[_T]) -> Generator[_T, None, None]:
    """Make the next block in a thread while the caller sends this one."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, blocks, None)
            yield block


def qualified(table: str) -> sql.Composable:
    """Quote the qualified name that the registry keeps."""
    return sql.Identifier(*table.split("."))


def _copy_statement(table: str) -> sql.Composed:
    # Frozen rows are visible to every later reader without a vacuum or a second write of each page.
    return sql.SQL("copy {} (video_id, embedding) from stdin (format binary, freeze)").format(qualified(table))


def _index(connection: Connection, version: str, settings: ReleaseSettings) -> None:
    memory, workers = sql.Literal(f"{settings.maintenance_work_mem_mb}MB"), sql.Literal(_INDEX_WORKERS)
    connection.execute(sql.SQL("set local maintenance_work_mem = {}").format(memory))
    connection.execute(sql.SQL("set local max_parallel_maintenance_workers = {}").format(workers))
    connection.execute(
        "select two_tower.index_video_embeddings(%s, %s, %s)",
        (version, settings.hnsw_m, settings.hnsw_ef_construction),
    )


@contextmanager
def _watched(url: str, pid: int, rows: int, progress: Progress) -> Iterator[None]:
    """Report the index build of process `pid` while the block runs."""
    if progress is silent:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(url, pid, rows, progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(url: str, pid: int, rows: int, progress: Progress, done: threading.Event) -> None:
    try:
        with connect(url, autocommit=True) as connection:
            while not done.wait(_POLL_SECONDS):
                row = connection.execute(query("index_progress"), {"pid": pid}).fetchone()
                if row is not None:
                    progress(rows + min(int(row[0]), rows), 2 * rows)
    except (DatabaseError, psycopg.Error):
        # No second connection to be had: the build goes on unwatched.
        return


def _refuse_unusable(manifest: Manifest, release: Release | None, digest: str) -> None:
    version = manifest.model_version
    if manifest.sha256_of_file(Files.VIDEO_EMBEDDINGS) is None:
        raise PublishingError(
            f"Version {version} has no {Files.VIDEO_EMBEDDINGS}",
            where=version,
            remedy="Materialize artifacts/video_embeddings and artifacts/manifest, then publish.",
        )
    was_public = release is not None and release.activated_at is not None
    if release is not None and was_public and release.manifest_hash not in (None, digest):
        raise PublishingError(
            f"Version {version} was released with other files",
            where=version,
            remedy="A released version never changes: restore its folder, or train a new version.",
        )


def _is_complete(connection: Connection, release: Release) -> bool:
    try:
        connection.execute(query("release_complete"), {"model_version": release.model_version})
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return False
    return True


def _scalar(connection: Connection, statement: str, value: str) -> str:
    row = connection.execute(statement, (value,)).fetchone()
    assert row is not None
    return str(row[0])

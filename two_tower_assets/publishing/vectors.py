"""A version's video vectors in the serving database, prepared where no reader looks.

Table, COPY, key, index and the registry's row are one transaction: they appear together or not at all, so a crash
leaves nothing half-made, and the rows can be written frozen. What does not live here: the index build
(`vector_index`), checking the vectors (`ann_check`) and making them live (`release`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import sql

from two_tower_assets.artifacts.embeddings import count_rows, largest_norm_error, read_blocks
from two_tower_assets.artifacts.manifest import Manifest, manifest_hash
from two_tower_assets.contract import Files
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, encode_rows
from two_tower_assets.publishing.registry import Release, read_release
from two_tower_assets.publishing.vector_index import build_index
from two_tower_assets.publishing.video_file import require_every_video_once
from two_tower_assets.publishing.writer import Connection, until_unlocked
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.steps import Reached, unheard

_T = TypeVar("_T")


@dataclass(frozen=True)
class Staged:
    """Where a version's vectors lie."""

    model_version: str
    table: str
    """Qualified name."""
    rows: int
    written: bool
    """False when the same vectors lay there already and nothing was touched."""
    spilled_after: int | None = None
    """Rows that the index build had in memory when it ran out of it and slowed down; None: all of them fitted."""


def stage_vectors(
    connection: Connection,
    url: str,
    folder: Path,
    manifest: Manifest,
    *,
    prefix: str,
    settings: ReleaseSettings,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> Staged:
    """Write and index the vectors of a version whose folder was verified.

    Args:
        connection: holds the writer's lock.
        url: of the same database; the index build is watched from a second connection.
        folder: the version's folder.
        manifest: of the folder.
        prefix: where the version's files lie in storage, kept in the registry.
        settings: index parameters.
        reached: told after each block of rows, the index and the registry's row.
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
    require_every_video_once(connection, folder)
    return _write(
        connection,
        url,
        folder,
        version=manifest.model_version,
        facts={"manifest_hash": digest, "artifact_prefix": prefix},
        settings=settings,
        reached=reached,
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
    facts: Mapping[str, str],
    settings: ReleaseSettings,
    reached: Reached,
    progress: Progress,
) -> Staged:
    _make_room(connection, version)
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        table = _scalar(connection, "select two_tower.create_video_embeddings(%s)", version)
        rows = copy_vectors(
            connection, table, folder, reached=reached, progress=lambda done, total: progress(done, 2 * total)
        )
        spilled_after = build_index(connection, url, version, rows, settings=settings, progress=progress)
        reached(f"indexed {rows} vectors")
        connection.execute(query("release_staged"), {"model_version": version, "video_count": rows, **facts})
    reached("staged the vectors")
    progress(2 * rows, 2 * rows)
    return Staged(version, table, rows, written=True, spilled_after=spilled_after)


def _make_room(connection: Connection, version: str) -> None:
    """Register the version, and drop what an earlier attempt left, in a transaction of its own.

    Dropping locks the table of all versions' users for a moment; building an index takes minutes.
    """
    with connection.transaction():
        connection.execute(query("release_register"), {"model_version": version})
    for attempt in until_unlocked():
        with attempt:
            connection.execute("select two_tower.drop_release_vectors(%s)", (version,))


def copy_vectors(
    connection: Connection,
    table: str,
    folder: Path,
    *,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> int:
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
            reached(f"copied {rows} vectors")
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

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.artifacts.manifest import write_manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError, PublishingError
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.staging import stage
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.verification import verify
from two_tower_assets_tests.artifacts.versions import make_version
from two_tower_assets_tests.publishing.releasing import (
    NEW,
    OLD,
    SETTINGS,
    VIDEOS,
    everything,
    passing,
    release,
    rows,
    user_probes,
)

TABLE = "two_tower.video_embeddings_20260302t120000z_0123456"


def test_staged_vectors_are_the_files_and_nobody_sees_them(target: Target, old: Path, new: Path) -> None:
    """Vectors arrive bit for bit, keyed and indexed, while the live version is what it was."""
    release(target, old)
    live = everything(target.url)
    staged = stage(target, new, settings=SETTINGS)
    assert (staged.model_version, staged.table, staged.rows, staged.written) == (NEW, TABLE, VIDEOS, True)
    stored = dict(rows(target.url, f"select video_id::text, embedding::real[] from {TABLE}"))
    for ids, vectors in read_blocks(new / Files.VIDEO_EMBEDDINGS):
        np.testing.assert_array_equal(np.array([stored[video] for video in ids], np.float32), vectors)
    indexes = rows(target.url, "select indexdef from pg_indexes where schemaname || '.' || tablename = %s", TABLE)
    assert sorted("hnsw" in definition for (definition,) in indexes) == [False, True]
    after = everything(target.url)
    assert [live[key] for key in ("live", "log", "seen")] == [after[key] for key in ("live", "log", "seen")]
    assert set(live["tables"]) < set(after["tables"])


def test_staging_again_writes_nothing(target: Target, new: Path) -> None:
    """The same version is recognised by its manifest and left as it is."""
    stage(target, new, settings=SETTINGS)
    before = everything(target.url)
    again = stage(target, new, settings=SETTINGS)
    assert (again.written, again.rows, again.table) == (False, VIDEOS, TABLE)
    assert everything(target.url) == before


def test_progress_counts_copied_then_indexed_rows(target: Target, new: Path) -> None:
    """The caller is told how far the work is, up to its end."""
    seen: list[tuple[int, int]] = []
    stage(target, new, settings=SETTINGS, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (VIDEOS, 2 * VIDEOS)
    assert seen[-1] == (2 * VIDEOS, 2 * VIDEOS)
    assert seen == sorted(seen)


def test_a_staging_that_stops_leaves_nothing(target: Target, new: Path) -> None:
    """Table, rows and index appear together or not at all; the registry knows the version, and that it has none."""
    before = everything(target.url)

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(target, new, settings=SETTINGS, progress=stop)
    assert {**everything(target.url), "releases": []} == before
    known = rows(target.url, "select model_version, state, vector_table, manifest_hash from public.model_releases")
    assert known == [(NEW, "staged", None, None)]
    assert stage(target, new, settings=SETTINGS).written


@pytest.mark.parametrize(
    "leftover",
    [
        "delete from {table} where video_id = (select min(video_id::text)::uuid from {table})",
        "drop index two_tower.video_embeddings_20260302t120000z_0123456_hnsw",
        "update public.model_releases set manifest_hash = null",
        "update public.model_releases set state = 'failed'",
        "select two_tower.drop_release_vectors('20260302T120000Z-0123456')",
        "select two_tower.create_video_embeddings('20260302T120000Z-0123456')",
    ],
)
def test_half_staged_leftovers_are_made_anew(target: Target, new: Path, leftover: str) -> None:
    """Missing rows, a missing index, a failed check or an empty table: the vectors are dropped and staged again."""
    stage(target, new, settings=SETTINGS)
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute(leftover.format(table=TABLE))
    assert stage(target, new, settings=SETTINGS).written
    evidence = verify(target, new, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS)
    assert evidence.ann.rows == VIDEOS


def test_other_versions_tables_are_not_touched(target: Target, old: Path, new: Path) -> None:
    """Making a leftover anew changes nothing of another version."""
    stage(target, old, settings=SETTINGS)
    before = {row for row in everything(target.url)["tables"] if "20260301" in row[1]}
    stage(target, new, settings=SETTINGS)
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute("update public.model_releases set state = 'failed' where model_version = %s", (NEW,))
    stage(target, new, settings=SETTINGS)
    assert {row for row in everything(target.url)["tables"] if "20260301" in row[1]} == before


def test_a_version_without_embeddings_is_refused(target: Target, tmp_path: Path) -> None:
    """The error says what to materialize."""
    folder = make_version(tmp_path, NEW, embeddings=False)
    with pytest.raises(PublishingError, match=r"has no video_embeddings\.parquet .*artifacts/video_embeddings"):
        stage(target, folder, settings=SETTINGS)


def test_a_released_version_never_gets_other_files(target: Target, new: Path, tmp_path: Path) -> None:
    """Once public, a version's vectors are only ever those of its first manifest."""
    release(target, new)
    folder = shutil.copytree(new, tmp_path / NEW)
    (folder / "extra.json").write_text("{}")
    write_manifest(folder)
    with pytest.raises(PublishingError, match=f"{NEW} was released with other files"):
        stage(target, folder, settings=SETTINGS)


def test_a_staged_version_with_other_files_is_staged_anew(target: Target, new: Path, tmp_path: Path) -> None:
    """Before it was ever public, the newest files win."""
    stage(target, new, settings=SETTINGS)
    folder = shutil.copytree(new, tmp_path / NEW)
    (folder / "extra.json").write_text("{}")
    write_manifest(folder)
    assert stage(target, folder, settings=SETTINGS).written


def test_a_table_that_differs_from_the_file_fails_its_check(target: Target, new: Path) -> None:
    """One changed number is found by reading back, the video is named, and the release is marked as failed."""
    stage(target, new, settings=SETTINGS)
    ids = np.concatenate([ids for ids, _ in read_blocks(new / Files.VIDEO_EMBEDDINGS)])
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute("set search_path = public, extensions")
        connection.execute(
            f"update {TABLE} set embedding = (select embedding from {TABLE} where video_id = %s) where video_id = %s",
            (ids[1], ids[7]),
        )
    with pytest.raises(PublishingError, match=f"does not hold what the file does, beginning with {ids[7]}"):
        verify(target, new, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS)
    assert rows(target.url, "select state from public.model_releases") == [("failed",)]


def test_the_check_measures_recall_against_exact_search(target: Target, new: Path) -> None:
    """A complete small index finds nearly all true neighbours, and the figures are kept with the release."""
    stage(target, new, settings=SETTINGS)
    evidence = verify(target, new, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS)
    assert (evidence.ann.queries, evidence.ann.rows) == (20, VIDEOS)
    assert 0.95 <= evidence.ann.recall_at_10 <= 1
    assert 0.95 <= evidence.ann.recall_at_50 <= 1
    ((state, metrics),) = rows(target.url, "select state, metrics from public.model_releases")
    assert state == "verified"
    assert metrics["evidence"]["ann"]["recall_at_50"] == evidence.ann.recall_at_50


@pytest.mark.parametrize("videos", [1, 2, 49])
def test_catalogues_shorter_than_the_lists_pass(target: Target, tmp_path: Path, videos: int) -> None:
    """With fewer videos than neighbours asked for, all of them are found."""
    folder = make_version(tmp_path, NEW, videos=videos)
    stage(target, folder, settings=SETTINGS)
    ann = verify(target, folder, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS).ann
    assert (ann.recall_at_10, ann.recall_at_50) == (1, 1)


@pytest.mark.parametrize(
    "probes",
    [
        Probes(np.array([], np.str_), np.zeros((0, 256), np.float32)),
        Probes(np.array(["a"]), np.zeros((1, 4), np.float32)),
        Probes(np.array(["a"]), np.full((1, 256), np.nan, np.float32)),
        Probes(np.array(["a", "b"]), np.ones((1, 256), np.float32)),
    ],
)
def test_without_usable_user_vectors_there_is_no_check(target: Target, new: Path, probes: Probes) -> None:
    """An index that nobody asked anything has shown nothing."""
    stage(target, new, settings=SETTINGS)
    with pytest.raises(PublishingError, match="at least one user with a finite vector"):
        verify(target, new, probes=probes, evaluation=passing(NEW), settings=SETTINGS)


def test_probes_are_sampled_evenly() -> None:
    """First and last are among them, each once, in order."""
    probes = Probes(np.arange(10).astype(np.str_), np.arange(10, dtype=np.float32)[:, None])
    assert probes.spread(4).users.tolist() == ["0", "3", "6", "9"]
    assert probes.spread(4).vectors_QD.ravel().tolist() == [0, 3, 6, 9]
    assert probes.spread(11).users.tolist() == probes.users.tolist()


def test_versions_have_their_own_vectors(target: Target, old: Path, new: Path) -> None:
    """Two staged versions lie in two tables, each admitting its own rows only."""
    stage(target, old, settings=SETTINGS)
    stage(target, new, settings=SETTINGS)
    for version in (OLD, NEW):
        table = f"two_tower.video_embeddings_{version.lower().replace('-', '_')}"
        assert rows(target.url, f"select distinct model_version from {table}") == [(version,)]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda ids, vectors: (ids, np.where(np.arange(VIDEOS)[:, None] == 7, np.nan, vectors)),
            "not finite: {seven}",
        ),
        (lambda ids, vectors: (ids, np.where(np.arange(VIDEOS)[:, None] == 7, 0, vectors)), "not finite: {seven}"),
        (
            lambda ids, vectors: (ids[np.arange(VIDEOS) != 7], np.delete(vectors, 7, 0)),
            "299 videos.* 300, such as {seven}",
        ),
        (
            lambda ids, vectors: (np.repeat(ids, 2)[7:-8], np.repeat(vectors, 2, 0)[7:-8]),
            "more than once in the file",
        ),
        (lambda ids, vectors: (ids[::-1], vectors[::-1]), "out of order in the file"),
        (lambda ids, vectors: (np.char.replace(ids, "-", ""), vectors), "are not uuids"),
        (lambda ids, vectors: (ids, vectors[:, :128]), r"The columns are video_id string, .*128\]"),
    ],
    ids=["nan", "zero", "missing", "doubled", "unordered", "no uuid", "wrong dimension"],
)
def test_an_unusable_embedding_file_is_refused_and_what_is_wrong_is_named(
    target: Target,
    new: Path,
    tmp_path: Path,
    spoil: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    complaint: str,
) -> None:
    """Also when the manifest fits the file; no vector and no table of it stays."""
    folder = shutil.copytree(new, tmp_path / NEW)
    blocks = list(read_blocks(new / Files.VIDEO_EMBEDDINGS))
    ids, vectors = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    other_ids, other_vectors = spoil(ids, vectors)
    flat = pa.array(np.ascontiguousarray(other_vectors, np.float32).reshape(-1))
    embedding = pa.FixedSizeListArray.from_arrays(flat, other_vectors.shape[1])
    schema = pa.schema(
        [
            pa.field("video_id", pa.string(), nullable=False),
            pa.field("embedding", embedding.type, nullable=False),
        ]
    )
    pq.write_table(pa.table([pa.array(other_ids.tolist()), embedding], schema), folder / Files.VIDEO_EMBEDDINGS)
    write_manifest(folder)
    tables = everything(target.url)["tables"]
    with pytest.raises((PublishingError, ArtifactError), match=complaint.format(seven=ids[7])):
        stage(target, folder, settings=SETTINGS)
    assert everything(target.url)["tables"] == tables

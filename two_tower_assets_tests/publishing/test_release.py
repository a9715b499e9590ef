from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.artifacts.golden_cases import golden_cases
from two_tower_assets.artifacts.manifest import write_manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.evidence import EvaluationEvidence
from two_tower_assets.publishing.flip import activate, rollback
from two_tower_assets.publishing.registry import list_releases, live_release
from two_tower_assets.publishing.release import publish
from two_tower_assets.publishing.staging import stage
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.verification import verify
from two_tower_assets.publishing.writer import single_writer
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.artifacts.versions import CUTOFF, feature_space, make_version
from two_tower_assets_tests.publishing.releasing import (
    NEW,
    OLD,
    SETTINGS,
    VIDEOS,
    everything,
    passing,
    prepared,
    release,
    rows,
    user_probes,
)


def versions_seen(url: str) -> list[tuple[str, int]]:
    """What a reader of the view sees: version and number of rows."""
    return rows(url, "select model_version, count(*) from public.video_embeddings group by 1")


def copied(folder: Path, tmp_path: Path) -> Path:
    """A copy that the test may change."""
    return shutil.copytree(folder, tmp_path / folder.name)


def test_a_published_version_is_live_with_all_its_vectors(target: Target, old: Path) -> None:
    """The pointer, the view, the registry and the log agree, and the evidence is kept."""
    done = release(target, old)
    assert (done.flip.changed, done.flip.previous, done.staged.rows) == (True, None, VIDEOS)
    live = live_release(target.url)
    assert live is not None
    assert (live.model_version, live.manifest_hash) == (OLD, done.evidence.folder.manifest_hash)
    assert versions_seen(target.url) == [(OLD, VIDEOS)]
    assert rows(target.url, "select from_version, to_version, action from public.release_log") == [
        (None, OLD, "release")
    ]
    (kept,) = list_releases(target.url)
    assert kept.state == "live"
    assert kept.metrics["evidence"]["folder"]["golden_cases"] >= 8


def test_publishing_twice_changes_nothing(target: Target, old: Path) -> None:
    """No row, no table, no log entry, and not even a time stamp differs."""
    release(target, old)
    before = everything(target.url)
    again = release(target, old)
    assert (again.staged.written, again.flip.changed) == (False, False)
    assert everything(target.url) == before


def test_activating_the_live_version_leaves_the_log(target: Target, old: Path) -> None:
    """The flip is asked for again and nothing happens."""
    release(target, old)
    before = everything(target.url)
    assert not activate(target, old, settings=SETTINGS).changed
    assert everything(target.url) == before


def test_vectors_upserted_into_the_live_version_do_not_make_it_unpublished(target: Target, old: Path) -> None:
    """A video that was embedded later lands in the live table, and publishing again leaves it there."""
    release(target, old)
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute(
            "insert into public.video_embeddings (video_id, embedding)"
            " select gen_random_uuid(), embedding from public.video_embeddings limit 1"
        )
    assert not release(target, old).staged.written
    assert versions_seen(target.url) == [(OLD, VIDEOS + 1)]


def test_rolling_back_is_the_same_flip(target: Target, old: Path, new: Path) -> None:
    """Back to what was live before, with all its vectors, and logged as a rollback."""
    release(target, old)
    release(target, new)
    flip = rollback(target, note="worse")
    assert (flip.model_version, flip.previous, flip.changed) == (OLD, NEW, True)
    assert versions_seen(target.url) == [(OLD, VIDEOS)]
    assert rows(target.url, "select to_version, action, note from public.release_log order by id")[-1] == (
        OLD,
        "rollback",
        "worse",
    )
    assert rollback(target, to=NEW).model_version == NEW


def test_without_an_earlier_release_there_is_no_way_back(target: Target, old: Path) -> None:
    """Nor to a version that was never live, or is unknown."""
    with pytest.raises(PublishingError, match="no earlier release"):
        rollback(target)
    release(target, old)
    with pytest.raises(PublishingError, match="no earlier release"):
        rollback(target)
    with pytest.raises(PublishingError, match="is unknown: it cannot be gone back to"):
        rollback(target, to="20200101T000000Z-fffffff")
    assert not rollback(target, to=OLD).changed


def test_vectors_of_old_versions_are_dropped(target: Target, tmp_path: Path) -> None:
    """Of four releases the newest two keep their vectors; going back to a dropped one is refused, with the remedy."""
    names = [f"2026030{day}T120000Z-0123456" for day in (1, 2, 3, 4)]
    settings = ReleaseSettings(min_ann_recall=0.9, keep_versions=2)
    dropped = [release(target, make_version(tmp_path, name, videos=20), settings).flip.dropped for name in names]
    assert dropped == [(), (), (names[0],), (names[1],)]
    kept = [found.model_version for found in list_releases(target.url) if found.vector_table is not None]
    assert kept == [names[3], names[2]]
    with pytest.raises(PublishingError, match="its vectors are gone"):
        rollback(target, to=names[0])


def test_a_dropped_version_can_be_published_again(target: Target, tmp_path: Path) -> None:
    """From its folder, as the remedy says."""
    settings = ReleaseSettings(min_ann_recall=0.9, keep_versions=1)
    folders = [make_version(tmp_path, f"2026030{day}T120000Z-0123456", videos=20) for day in (1, 2, 3)]
    for folder in folders:
        release(target, folder, settings)
    done = release(target, folders[0], settings)
    assert (done.staged.written, done.flip.changed) == (True, True)
    assert versions_seen(target.url) == [(folders[0].name, 20)]


def test_the_version_just_replaced_stays(target: Target, tmp_path: Path) -> None:
    """Its readers may still be at it, so it stays even when one version is to be kept."""
    settings = ReleaseSettings(min_ann_recall=0.9, keep_versions=1)
    folders = [make_version(tmp_path, f"2026030{day}T120000Z-0123456", videos=20) for day in (1, 2)]
    assert [release(target, folder, settings).flip.dropped for folder in folders] == [(), ()]


@pytest.mark.parametrize(
    "name",
    [
        Files.USER_TOWER,
        Files.FEATURE_SCHEMA,
        Files.NORMALIZER,
        Files.TAG_VOCABULARY,
        Files.PERFORMER_VOCABULARY,
        Files.MODEL_META,
        Files.GOLDEN_VECTORS,
        Files.VIDEO_EMBEDDINGS,
    ],
)
def test_one_changed_byte_in_any_artifact_is_refused_and_named(
    target: Target, new: Path, tmp_path: Path, name: str
) -> None:
    """At every step, and nothing reaches the database."""
    folder = copied(new, tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    before = everything(target.url)
    for step in (
        lambda: stage(target, folder, settings=SETTINGS),
        lambda: verify(target, folder, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS),
        lambda: activate(target, folder, settings=SETTINGS),
        lambda: release(target, folder),
    ):
        with pytest.raises(PublishingError, match=f"{name} was changed"):
            step()
    assert everything(target.url) == before


def test_numbers_that_the_files_do_not_give_are_refused(target: Target, new: Path, tmp_path: Path) -> None:
    """A folder with a right manifest but a wrong normalizer fails the replay of its golden vectors."""
    folder = copied(new, tmp_path)
    text = json.loads((folder / Files.NORMALIZER).read_text(encoding="utf-8"))
    text["user_numeric"]["nope_count"]["mean"] += 1
    (folder / Files.NORMALIZER).write_text(json.dumps(text))
    write_manifest(folder)
    with pytest.raises(PublishingError, match="golden vectors are not met"):
        release(target, folder)


def test_weights_of_another_version_are_refused(target: Target, old: Path, new: Path, tmp_path: Path) -> None:
    """The ONNX file must give what the weights beside it give."""
    folder = copied(new, tmp_path)
    shutil.copy(old / Files.TOWERS, folder / Files.TOWERS)
    with pytest.raises(PublishingError, match="onnxruntime and torch differ"):
        release(target, folder)
    (folder / Files.TOWERS).unlink()
    with pytest.raises(PublishingError, match="checkpoint does not exist"):
        release(target, folder)


@pytest.mark.parametrize(
    ("evaluation", "complaint"),
    [
        (None, "was never evaluated"),
        (passing(OLD), f"evaluation is of version {OLD}, not {NEW}"),
        (
            passing(NEW).model_copy(update={"passed": False, "reasons": ("recall@200 is too low", "no coverage")}),
            "The gate refused version .*: recall@200 is too low; no coverage",
        ),
    ],
)
def test_without_a_good_evaluation_of_its_own_nothing_is_released(
    target: Target, new: Path, evaluation: EvaluationEvidence | None, complaint: str
) -> None:
    """Missing, another version's, or refused by the gate: refused before anything is written."""
    before = everything(target.url)
    with pytest.raises(PublishingError, match=complaint):
        publish(target, new, probes=user_probes(), users=prepared(new), evaluation=evaluation, settings=SETTINGS)
    assert everything(target.url) == before


def test_an_index_that_finds_too_little_is_refused(target: Target, new: Path) -> None:
    """The figure and the bound are named, the release is marked as failed, and nothing goes live."""
    poor = ReleaseSettings(min_ann_recall=1, hnsw_m=2, hnsw_ef_construction=4)
    with pytest.raises(PublishingError, match=r"finds 0\.\d+ of the 10 nearest videos under no filter, less than 1"):
        publish(target, new, probes=user_probes(200), users=prepared(new), evaluation=passing(NEW), settings=poor)
    assert live_release(target.url) is None
    assert [found.state for found in list_releases(target.url)] == ["failed"]
    assert release(target, new).flip.changed


def test_activation_asks_for_the_evidence_again(target: Target, new: Path) -> None:
    """Staged but never checked, or with evidence of other files: refused, with the remedy."""
    with pytest.raises(PublishingError, match="has no evidence"):
        activate(target, new, settings=SETTINGS)
    stage(target, new, settings=SETTINGS)
    with pytest.raises(PublishingError, match="has no evidence"):
        activate(target, new, settings=SETTINGS)
    evidence = verify(target, new, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS)
    other = evidence.model_copy(update={"folder": evidence.folder.model_copy(update={"manifest_hash": "0"})})
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute("update public.model_releases set metrics = %s", (Jsonb(other.to_metrics()),))
    with pytest.raises(PublishingError, match=r"evidence .* with other files"):
        activate(target, new, settings=SETTINGS)
    assert live_release(target.url) is None


def test_verifying_what_is_not_staged_is_refused(target: Target, new: Path) -> None:
    """There is nothing to check yet."""
    with pytest.raises(PublishingError, match="are not staged"):
        verify(target, new, probes=user_probes(), evaluation=passing(NEW), settings=SETTINGS)


def test_a_second_writer_waits_and_then_says_for_whom(target: Target, new: Path) -> None:
    """The holder's process, name and start are in the error; when it is gone, the lock is free."""
    with single_writer(target.url, doing="held") as holder:
        pid = holder.info.backend_pid
        with pytest.raises(PublishingError, match=rf"process {pid} \(two-tower held on .* since 20"):
            stage(target, new, settings=SETTINGS, lock_wait=0.05)
    assert stage(target, new, settings=SETTINGS, lock_wait=0.05).written


def test_a_killed_writer_frees_the_lock(target: Target) -> None:
    """The lock dies with its session."""
    holder = psycopg.connect(target.url, autocommit=True)
    with holder, single_writer(target.url) as writer:
        pid = writer.info.backend_pid
        holder.execute("select pg_terminate_backend(%s)", (pid,))
        with single_writer(target.url, wait=10) as next_writer:
            assert next_writer.info.backend_pid != pid


def test_readers_never_see_two_versions_or_an_error(target: Target, old: Path, new: Path) -> None:
    """Over many flips every read of the view and of the search finds one whole version."""
    release(target, old)
    release(target, new)
    done = threading.Event()
    seen: set[tuple[str, int]] = set()
    torn: list[object] = []
    query = str(user_probes(1).vectors_QD[0].tolist())

    def read() -> None:
        with psycopg.connect(target.url, autocommit=True) as connection:
            while not done.is_set():
                found = connection.execute(
                    "select model_version, count(*) from public.video_embeddings group by 1"
                ).fetchall()
                answers = connection.execute(
                    "select count(*) from public.recommend_videos_ann(%s, 50)", (query,)
                ).fetchone()
                seen.update(found)
                if len(found) != 1 or answers != (50,):
                    torn.append((found, answers))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for flip in range(30):
        assert rollback(target, to=(OLD, NEW)[flip % 2]).changed
    done.set()
    for reader in readers:
        reader.join()
    assert not torn
    assert seen == {(OLD, VIDEOS), (NEW, VIDEOS)}


def test_recommendations_end_to_end(target: Target, new: Path) -> None:
    """Payload → features → onnxruntime → search: the answers are the exact nearest videos of the item tower."""
    release(target, new)
    model = ModelFolder.open(new)
    for _, moment, payload in golden_cases(feature_space(), as_of=CUTOFF):
        vector = model.embed_payload(payload, moment)
        found = rows(
            target.url,
            "select video_id::text, similarity from public.recommend_videos_ann(%s, 10, p_model_version => %s)",
            str(vector.tolist()),
            NEW,
        )
        exact = exact_similarities(new, vector)
        assert len({video for video, _ in found}) == 10
        np.testing.assert_allclose([exact[video] for video, _ in found], [s for _, s in found], atol=1e-5)
        assert found[0][1] == pytest.approx(max(exact.values()), abs=1e-3)


def exact_similarities(folder: Path, vector: np.ndarray) -> dict[str, float]:
    """Cosine of every video's vector, computed here."""
    return {
        video: float(similarity)
        for ids, vectors in read_blocks(folder / Files.VIDEO_EMBEDDINGS)
        for video, similarity in zip(ids.tolist(), vectors @ vector, strict=True)
    }

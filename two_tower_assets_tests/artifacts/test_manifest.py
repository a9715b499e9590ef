from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from two_tower_assets.artifacts.manifest import verify, write_manifest
from two_tower_assets.artifacts.version_folder import find_version, versions
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.training.checkpoint import save_checkpoint
from two_tower_assets_tests.artifacts.versions import (
    COMMIT,
    VERSION,
    facts,
    feature_space,
    file_bytes,
    make_version,
    towers,
)

PUBLIC = (
    Files.FEATURE_SCHEMA,
    Files.GOLDEN_VECTORS,
    Files.MODEL_META,
    Files.NORMALIZER,
    Files.USER_TOWER,
    Files.VIDEO_EMBEDDINGS,
    Files.PERFORMER_VOCABULARY,
    Files.TAG_VOCABULARY,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_version(tmp_path_factory.mktemp("artifacts"), videos=5)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / VERSION)


def test_the_manifest_lists_every_public_file_with_its_hash(folder: Path) -> None:
    """All files but the manifest and the weights are listed, sorted, with SHA-256 and size."""
    text = json.loads((folder / Files.MANIFEST).read_text(encoding="utf-8"))
    assert list(text) == ["model_version", "generated_at", "commit_sha", "files", "model_meta"]
    assert [file["path"] for file in text["files"]] == sorted(PUBLIC)
    for file in text["files"]:
        content = (folder / file["path"]).read_bytes()
        assert file == {
            "path": file["path"],
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
    assert (text["model_version"], text["commit_sha"]) == (VERSION, COMMIT)
    assert text["generated_at"] == text["model_meta"]["exported_at"]
    assert text["model_meta"] == json.loads((folder / Files.MODEL_META).read_text(encoding="utf-8"))


def test_the_vocabulary_of_videos_is_listed_where_there_is_one(tmp_path: Path) -> None:
    """With bags of videos the file is one more public file, and the folder is what its manifest says."""
    folder = make_version(tmp_path, videos=5, space=feature_space(videos=5))
    assert {file.path for file in verify(folder).files} == {*PUBLIC, Files.VIDEO_VOCABULARY}


def test_making_a_version_again_changes_no_byte(made: Path, tmp_path: Path) -> None:
    """Every file of a version, made anew from the same weights, is byte for byte the same."""
    assert file_bytes(make_version(tmp_path, videos=5)) == file_bytes(made)


def test_a_lost_manifest_comes_back_the_same(folder: Path) -> None:
    """The commit is the weights' own, whatever the commit of the code that writes the manifest."""
    before = file_bytes(folder)
    (folder / Files.MANIFEST).unlink()
    write_manifest(folder)
    assert file_bytes(folder) == before


def test_skipped_embeddings_are_simply_not_listed(tmp_path: Path) -> None:
    """A version without embeddings has a manifest of what is there."""
    folder = make_version(tmp_path, embeddings=False)
    assert Files.VIDEO_EMBEDDINGS not in {file.path for file in verify(folder).files}


@pytest.mark.parametrize("name", PUBLIC)
def test_one_changed_byte_is_noticed_and_named(folder: Path, name: str) -> None:
    """Whichever file it is in."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name} was changed"):
        verify(folder)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Whichever it is."""
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        verify(folder)


def test_a_file_too_many_is_named(folder: Path) -> None:
    """A file that nobody listed would be published unchecked."""
    (folder / "extra.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"extra\.json is not listed"):
        verify(folder)


def test_all_problems_are_named_at_once(folder: Path) -> None:
    """One message tells everything that is wrong."""
    (folder / Files.NORMALIZER).unlink()
    (folder / "extra.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"normalizer\.json is missing; extra\.json is not listed"):
        verify(folder)


def test_half_written_files_of_a_crash_do_not_count(folder: Path) -> None:
    """The hidden temporary file of a killed writer is neither listed nor published."""
    before = (folder / Files.MANIFEST).read_bytes()
    (folder / ".user_tower.onnx.abc.partial").write_bytes(b"half")
    verify(folder)
    write_manifest(folder)
    assert (folder / Files.MANIFEST).read_bytes() == before


def test_a_manifest_with_other_metadata_is_refused(folder: Path) -> None:
    """What the manifest repeats of model_meta.json must be what stands there."""
    text = json.loads((folder / Files.MANIFEST).read_text(encoding="utf-8"))
    text["model_meta"]["embedding_dim"] = 128
    (folder / Files.MANIFEST).write_text(json.dumps(text))
    with pytest.raises(ArtifactError, match="repeats other metadata"):
        verify(folder)


def test_a_folder_without_manifest_is_refused(folder: Path) -> None:
    """No manifest, no version."""
    (folder / Files.MANIFEST).unlink()
    with pytest.raises(ArtifactError, match=r"does not exist .*manifest\.json"):
        verify(folder)


def save(artifacts: Path, name: str, fingerprint: str, *, says: str | None = None) -> None:
    space = feature_space()
    save_checkpoint(artifacts / name / Files.TOWERS, towers(space), facts(space, says or name, fingerprint))


def test_a_version_is_found_by_what_it_was_made_from(tmp_path: Path) -> None:
    """The newest version with the fingerprint is found; others, and other folders, are not."""
    save(tmp_path, "20260101T000000Z-aaaaaaa", "one")
    save(tmp_path, "20260102T000000Z-aaaaaaa", "one")
    save(tmp_path, "20260103T000000Z-aaaaaaa", "two")
    save(tmp_path, "scratch", "three")
    assert find_version(tmp_path, "one") == "20260102T000000Z-aaaaaaa"
    assert find_version(tmp_path, "three") is None
    assert versions(tmp_path) == tuple(f"2026010{day}T000000Z-aaaaaaa" for day in (3, 2, 1))


def test_damaged_and_misplaced_weights_are_no_version(tmp_path: Path) -> None:
    """A folder whose weights cannot be read, or say another version, is passed over."""
    save(tmp_path, "20260101T000000Z-aaaaaaa", "one", says="20250101T000000Z-aaaaaaa")
    damaged = tmp_path / "20260102T000000Z-aaaaaaa" / Files.TOWERS
    damaged.parent.mkdir()
    damaged.write_bytes(b"nothing")
    assert find_version(tmp_path, "one") is None


def test_before_the_first_version_there_is_none(tmp_path: Path) -> None:
    """A folder that does not exist holds no versions."""
    assert find_version(tmp_path / "artifacts", "one") is None

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.documents import as_json
from two_tower_assets.artifacts.golden import golden_vectors, replay, require_replay
from two_tower_assets.artifacts.golden_cases import golden_cases
from two_tower_assets.contract import Files, UserPayload
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.reference import user_vector
from two_tower_assets_tests.artifacts.versions import (
    CUTOFF,
    VERSION,
    feature_space,
    make_version,
    towers,
    video_id,
)

SPACE = feature_space(videos=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_version(tmp_path_factory.mktemp("artifacts"), videos=3, space=SPACE)


@pytest.fixture(scope="module")
def model(folder: Path) -> ModelFolder:
    return ModelFolder.open(folder)


def payloads(videos: int) -> list[UserPayload]:
    return [payload for _, _, payload in golden_cases(feature_space(videos=videos), as_of=CUTOFF)]


def test_the_files_alone_give_the_golden_numbers(folder: Path) -> None:
    """A client that knows the optional segments by their schema alone gets every feature and embedding."""
    result = replay(folder)
    assert result.within
    assert result.cases == len(payloads(0)) + 5


@pytest.mark.parametrize("videos", [1, 30, 2000])
def test_the_cases_cover_lists_of_videos(videos: int) -> None:
    """Known, unknown and mixed lists, one video in both, one list alone and a thousand ids occur at any size."""
    known = set(feature_space(videos=videos).videos)
    lists = [(set(payload.liked_video_ids), set(payload.noped_video_ids)) for payload in payloads(videos)]
    assert any(liked & known and liked - known for liked, _ in lists)
    assert any(liked and noped and not (liked | noped) & known for liked, noped in lists)
    assert any(liked & noped & known for liked, noped in lists)
    assert any(noped & known and not liked for liked, noped in lists)
    long = [p for p in payloads(videos) if len(p.liked_video_ids) == len(p.noped_video_ids) == 1000]
    assert any(set(payload.liked_video_ids) & known for payload in long)
    assert len({payload.user_id for payload in payloads(videos)}) == len(lists)


def test_without_videos_the_cases_are_the_base_ones() -> None:
    """No payload names a video, and the file is what it was before there were such segments."""
    assert not any(payload.liked_video_ids or payload.noped_video_ids for payload in payloads(0))


@pytest.mark.parametrize("videos", [1, 2, 1200])
def test_vocabularies_of_any_size_have_golden_vectors(videos: int) -> None:
    """One video and more videos than a list can name give cases of the right width."""
    space = feature_space(2, 1, videos)
    golden = golden_vectors(VERSION, towers(space).user, space, as_of=CUTOFF)
    assert {len(case.features) for case in golden.cases} == {space.user_dim}


IDS = st.lists(st.sampled_from([*SPACE.videos, "unknown", ""]), max_size=40).map(tuple)


@given(liked=IDS, noped=IDS)
def test_the_clients_features_are_the_definitions(
    model: ModelFolder, liked: tuple[str, ...], noped: tuple[str, ...]
) -> None:
    """For any lists, repeated ids included, the schema-driven client builds the readable definition's vector."""
    payload = UserPayload(user_id="someone", liked_video_ids=liked, noped_video_ids=noped, tags=SPACE.tags[:3])
    expected = user_vector(payload, CUTOFF, SPACE)
    np.testing.assert_allclose(model.user_features(payload, CUTOFF), expected, rtol=1e-6, atol=1e-6)


def test_bags_by_hand(model: ModelFolder) -> None:
    """Two liked videos, one of them known, and two known NOPEd ones, at their places after names."""
    payload = UserPayload(
        user_id="someone", liked_video_ids=(video_id(4), "x"), noped_video_ids=(video_id(0), video_id(29))
    )
    bags = model.user_features(payload, CUTOFF)[59:]
    assert bags.shape == (60,)
    assert np.flatnonzero(bags).tolist() == [4, 30, 59]
    np.testing.assert_allclose(bags[[4, 30, 59]], [1, 0.5**0.5, 0.5**0.5], rtol=1e-6)


def test_exchanged_videos_are_noticed(folder: Path, tmp_path: Path) -> None:
    """Two ids in the wrong order of the vocabulary give other vectors."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    first, second, *rest = SPACE.videos
    (tmp_path / Files.VIDEO_VOCABULARY).write_text(as_json({"tokens": [second, first, *rest]}), encoding="utf-8")
    with pytest.raises(ArtifactError, match="golden vectors are not met"):
        require_replay(tmp_path)


def test_a_missing_vocabulary_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    """A segment whose vocabulary file is not there stops before any vector is built."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / Files.VIDEO_VOCABULARY).unlink()
    with pytest.raises(ArtifactError, match=r"does not exist .*vocab_video\.json"):
        ModelFolder.open(tmp_path)

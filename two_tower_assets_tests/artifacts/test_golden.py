from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.documents import as_json
from two_tower_assets.artifacts.golden import golden_vectors, replay, require_replay, shortest
from two_tower_assets.artifacts.golden_cases import golden_cases
from two_tower_assets.contract import (
    GOLDEN_TOLERANCE,
    DecisionStats,
    Files,
    PriceStats,
    ProfilePayload,
    UserPayload,
)
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.reference import user_vector
from two_tower_assets_tests.artifacts.versions import CUTOFF, VERSION, feature_space, make_version, towers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_version(tmp_path_factory.mktemp("artifacts"), videos=3)


@pytest.fixture(scope="module")
def model(folder: Path) -> ModelFolder:
    return ModelFolder.open(folder)


def edited(folder: Path, tmp_path: Path, name: str, change: dict[str, object]) -> Path:
    """A copy of the folder with keys of one file replaced."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = json.loads((folder / name).read_text(encoding="utf-8"))
    (tmp_path / name).write_text(as_json({**text, **change}), encoding="utf-8")
    return tmp_path


def test_the_files_alone_give_the_golden_numbers(folder: Path) -> None:
    """A client that reads nothing but the folder gets every feature and embedding within the tolerance."""
    result = replay(folder)
    assert result.within
    assert result.cases >= 8
    assert result.features <= GOLDEN_TOLERANCE
    assert result.embedding <= GOLDEN_TOLERANCE


def test_replay_needs_no_weights(folder: Path, tmp_path: Path) -> None:
    """The private file is not read."""
    copy = edited(folder, tmp_path, Files.MODEL_META, {})
    (copy / Files.TOWERS).unlink()
    assert replay(copy).within


def test_the_cases_cover_what_is_unusual() -> None:
    """No decisions, nulls, only NOPEs, unknown names, repetition and unusual characters all occur."""
    cases = {name: payload for name, _, payload in golden_cases(feature_space(), as_of=CUTOFF)}
    assert len(cases) >= 8
    payloads = list(cases.values())
    assert any(payload.decision_stats.decision_count == 0 for payload in payloads)
    assert any(payload.decision_stats.nope_count and not payload.decision_stats.like_count for payload in payloads)
    assert any(payload.price_stats.mean is None and payload.profile.created_at is None for payload in payloads)
    assert any("👩‍👩‍👧 family" in payload.tags for payload in payloads)
    assert any(payload.tags.count(payload.tags[0]) == 1000 for payload in payloads if payload.tags)
    assert len({payload.user_id for payload in payloads}) == len(payloads)


@pytest.mark.parametrize(("tags", "performers"), [(0, 0), (1, 0), (0, 1), (216, 0)])
def test_small_vocabularies_have_golden_vectors_too(tags: int, performers: int) -> None:
    """A vocabulary of size zero or one gives cases of the right width."""
    space = feature_space(tags, performers)
    golden = golden_vectors(VERSION, towers(space).user, space, as_of=CUTOFF)
    assert {len(case.features) for case in golden.cases} == {space.user_dim}


def test_the_same_version_has_the_same_golden_bytes() -> None:
    """Writing them again changes no byte."""
    space = feature_space()
    texts = {golden_vectors(VERSION, towers(space).user, space, as_of=CUTOFF).to_json() for _ in range(2)}
    assert len(texts) == 1


def test_another_normalizer_is_noticed(folder: Path, tmp_path: Path) -> None:
    """A changed scale moves features beyond the tolerance, and the error names a case."""
    text = json.loads((folder / Files.NORMALIZER).read_text(encoding="utf-8"))
    text["user_numeric"]["mean_price"]["std"] *= 1.01
    with pytest.raises(ArtifactError, match=r"golden vectors are not met.*case 'h"):
        require_replay(edited(folder, tmp_path, Files.NORMALIZER, text))


def test_exchanged_names_of_a_vocabulary_are_noticed(folder: Path, tmp_path: Path) -> None:
    """Two names in the wrong order give other vectors."""
    first, second, *rest = json.loads((folder / Files.TAG_VOCABULARY).read_text(encoding="utf-8"))["tokens"]
    changed = edited(folder, tmp_path, Files.TAG_VOCABULARY, {"tokens": [second, first, *rest]})
    with pytest.raises(ArtifactError, match="golden vectors are not met"):
        require_replay(changed)


def test_golden_vectors_of_another_version_are_refused(folder: Path, tmp_path: Path) -> None:
    """A file left by another version is not taken for this one's."""
    other = "20200101T000000Z-fffffff"
    with pytest.raises(ArtifactError, match=f"golden vectors of version {other}"):
        replay(edited(folder, tmp_path, Files.GOLDEN_VECTORS, {"model_version": other}))


def test_a_vocabulary_that_does_not_fit_the_schema_is_refused(folder: Path, tmp_path: Path) -> None:
    """Too few names for the segment are an error before any vector is built."""
    with pytest.raises(ArtifactError, match=r"vocab_tag\.json has 1 names and segment tag_vector 40"):
        ModelFolder.open(edited(folder, tmp_path, Files.TAG_VOCABULARY, {"tokens": ["one"]}))


def test_a_segment_that_is_not_known_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    """A newer schema stops an older client clearly instead of giving it a wrong vector."""
    schema = json.loads((folder / Files.FEATURE_SCHEMA).read_text(encoding="utf-8"))
    schema["segments"][1]["type"] = "sine_and_cosine"
    model = ModelFolder.open(edited(folder, tmp_path, Files.FEATURE_SCHEMA, schema))
    with pytest.raises(ArtifactError, match="Segment hour_of_day of type sine_and_cosine"):
        model.user_features(UserPayload(user_id="x"), CUTOFF)


def test_features_that_are_not_finite_are_refused(model: ModelFolder) -> None:
    """NaN in would give NaN out, silently."""
    with pytest.raises(ArtifactError, match="not finite"):
        model.embed(np.full((1, 59), np.nan, np.float32))


def test_features_of_another_width_are_refused(model: ModelFolder) -> None:
    """The error names both widths."""
    with pytest.raises(ArtifactError, match=r"\[batch, 59\] and was given \[1, 58\]"):
        model.embed(np.zeros((1, 58), np.float32))


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
COUNTS = st.integers(0, 5000)
NAMES = st.lists(st.sampled_from([*feature_space().tags, *feature_space().performers, "unknown", ""]), max_size=60)
PAYLOADS = st.builds(
    UserPayload,
    user_id=st.just("someone"),
    profile=st.builds(ProfilePayload, created_at=st.none() | MOMENTS),
    decision_stats=st.builds(
        DecisionStats,
        like_count=COUNTS,
        nope_count=COUNTS,
        decision_count=COUNTS,
        recent_like_at=st.none() | MOMENTS,
        average_like_hour=st.none() | st.floats(-5, 30),
    ),
    price_stats=st.builds(PriceStats, mean=st.none() | st.floats(-10, 1e6), median=st.none() | st.floats(-10, 1e6)),
    tags=NAMES.map(tuple),
    performers=NAMES.map(tuple),
)


@given(payload=PAYLOADS, as_of=MOMENTS)
def test_the_clients_features_are_the_definitions(model: ModelFolder, payload: UserPayload, as_of: datetime) -> None:
    """For any payload and moment the schema-driven client builds the vector of the readable definition."""
    expected = user_vector(payload, as_of, feature_space())
    np.testing.assert_allclose(model.user_features(payload, as_of), expected, rtol=1e-6, atol=1e-6)


def test_features_by_hand(model: ModelFolder) -> None:
    """One payload, computed by hand: two days old, one like of one decision, one tag twice and one once."""
    payload = UserPayload(
        user_id="someone",
        profile=ProfilePayload(created_at=CUTOFF - timedelta(days=2)),
        decision_stats=DecisionStats(like_count=1, decision_count=1, recent_like_at=CUTOFF, average_like_hour=23),
        price_stats=PriceStats(mean=6, median=6),
        tags=("日本語", "tag 0", "日本語"),
    )
    features = model.user_features(payload, CUTOFF)
    numeric = [2 / 1.5, 5 / 2.5, 4 / 3.5, (1 - 3) / 4.5, 1 - 3, -5 / 6.5, (1 - 6) / 7.5, -7 / 8.5]
    np.testing.assert_allclose(features[:8], numeric, rtol=1e-6)
    np.testing.assert_allclose(features[8:13], [1, 2 / 5**0.5, 0, 0, 1 / 5**0.5], rtol=1e-6)
    assert not features[13:].any()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_shortened_numbers_are_the_same_float32(values: list[float]) -> None:
    """Fewer digits in the file, not one bit less."""
    array = np.array(values, np.float32)
    assert np.array_equal(np.array(shortest(array), np.float64).astype(np.float32), array)

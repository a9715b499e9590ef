from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.artifacts.documents import as_json
from two_tower_assets.artifacts.meta import DataFacts, ModelMeta, model_meta
from two_tower_assets.artifacts.normalizer import normalizer
from two_tower_assets.artifacts.schema import FeatureSchema, feature_schema
from two_tower_assets.artifacts.vocabulary import Vocabulary, vocabularies
from two_tower_assets.errors import ArtifactError
from two_tower_assets_tests.artifacts.versions import (
    CHOICES,
    CUTOFF,
    SETTINGS,
    VERSION,
    facts,
    feature_space,
    video_id,
)


def test_feature_schema_is_the_contracts_to_the_key() -> None:
    """216 tags and no performers give 225 features in the four segments, with no key too many."""
    assert json.loads(feature_schema(feature_space(216, 0)).to_json()) == {
        "version": "v2",
        "input_name": "user_features",
        "input_dim": 225,
        "embedding_dim": 256,
        "segments": [
            {
                "name": "numeric",
                "size": 8,
                "features": [
                    "account_age_days",
                    "mean_price",
                    "median_price",
                    "like_ratio",
                    "like_count",
                    "nope_count",
                    "decision_count",
                    "recent_like_days",
                ],
                "type": "standard_score",
            },
            {"name": "hour_of_day", "size": 1, "type": "scaled_bucket", "range": [0, 1]},
            {"name": "tag_vector", "size": 216, "type": "l2_normalized_bow"},
            {"name": "actress_vector", "size": 0, "type": "l2_normalized_bow"},
        ],
    }


def test_optional_segments_follow_with_their_source_and_vocabulary() -> None:
    """With videos in the space two segments come last, the first four staying as they are."""
    schema = json.loads(feature_schema(feature_space(videos=7)).to_json())
    base = json.loads(feature_schema(feature_space()).to_json())
    assert schema["input_dim"] == base["input_dim"] + 14
    assert schema["segments"] == [
        *base["segments"],
        {
            "name": "liked_video_vector",
            "size": 7,
            "type": "l2_normalized_bow",
            "source": "liked_video_ids",
            "vocabulary": "vocab_video.json",
        },
        {
            "name": "noped_video_vector",
            "size": 7,
            "type": "l2_normalized_bow",
            "source": "noped_video_ids",
            "vocabulary": "vocab_video.json",
        },
    ]


def test_the_vocabulary_of_videos_is_a_file_only_where_there_is_one() -> None:
    """A space without videos has the two files of the base form."""
    assert list(vocabularies(feature_space())) == ["vocab_tag.json", "vocab_actress.json"]
    hybrid = vocabularies(feature_space(videos=3))
    assert list(hybrid) == ["vocab_tag.json", "vocab_actress.json", "vocab_video.json"]
    assert json.loads(hybrid["vocab_video.json"].to_json()) == {"tokens": [video_id(number) for number in range(3)]}


def test_normalizer_has_every_numeric_in_the_contracts_order() -> None:
    """Means and deviations stand under their names, users' and items' apart."""
    text = json.loads(normalizer(feature_space()).to_json())
    assert list(text) == ["user_numeric", "item_numeric"]
    assert list(text["item_numeric"]) == ["price", "recency_days", "duration_seconds"]
    assert text["user_numeric"]["mean_price"] == {"mean": 1.0, "std": 2.5}


def test_vocabulary_keeps_index_order_and_every_script() -> None:
    """Names stand in index order, readable as they are."""
    text = Vocabulary(tokens=feature_space(3, 0).tags).to_json()
    assert json.loads(text) == {"tokens": ["日本語", "emoji 👩‍👩‍👧", 'quo"ted']}
    assert "日本語" in text


def test_model_meta_says_what_the_version_was_made_from() -> None:
    """The keys of old clients and those of the contract are there, and no clock is read."""
    space = feature_space()
    data = DataFacts(cutoff=CUTOFF, rows={"videos": 3}, content_hash="d")
    meta = model_meta(
        facts(space, VERSION), space, data=data, settings=SETTINGS, metrics={"recall@200": 0.5}, choices=CHOICES
    )
    text = json.loads(meta.to_json())
    assert text["exported_at"] == text["trained_at"] == "2026-03-01T12:30:00Z"
    assert [text[key] for key in ("embedding_dim", "user_feature_dim", "item_feature_dim")] == [256, 59, 53]
    assert [text[key] for key in ("tag_vocab_size", "actress_vocab_size")] == [40, 10]
    assert text["model_version"] == VERSION
    assert text["data"] == {"cutoff": "2026-03-01T12:30:00Z", "rows": {"videos": 3}, "content_hash": "d"}
    assert text["reference_released_at"] == "2026-02-01T00:00:00Z"
    assert text["config"]["training"]["schedules"] == [300, 600]
    assert text["like_calibration"] == {"a": 3.5, "b": -0.25}
    assert text["serving"]["fallback_half_life_days"] == 30.0
    assert (text["serving"]["rerank"]["similarity_weight"], text["serving"]["rerank"]["strength"]) == (0.75, 0.1)
    assert text["tensors"]["input"] == {"name": "user_features", "shape": ["batch", 59], "dtype": "float32"}
    assert text["metrics"] == {"recall@200": 0.5}
    assert text["libraries"].keys() >= {"torch", "onnxruntime"}
    assert ModelMeta.model_validate_json(meta.to_json()) == meta
    assert "video_vocab_size" not in text


def test_model_meta_counts_the_videos_of_the_vocabulary() -> None:
    """Where users have bags of videos their number is told, and the input is as wide as that asks for."""
    space = feature_space(videos=5)
    data = DataFacts(cutoff=CUTOFF, rows={}, content_hash="d")
    meta = model_meta(facts(space, VERSION), space, data=data, settings=SETTINGS, metrics={}, choices=CHOICES)
    text = json.loads(meta.to_json())
    assert [text[key] for key in ("user_feature_dim", "item_feature_dim", "video_vocab_size")] == [69, 53, 5]
    assert text["tensors"]["input"]["shape"] == ["batch", 69]
    assert ModelMeta.model_validate_json(meta.to_json()) == meta


def test_a_reader_accepts_keys_that_it_does_not_know(tmp_path: Path) -> None:
    """The files grow by adding: a newer file is read by an older reader."""
    path = tmp_path / "feature_schema.json"
    text = json.loads(feature_schema(feature_space()).to_json())
    path.write_text(json.dumps({**text, "newer": 1}))
    assert FeatureSchema.read(path) == feature_schema(feature_space())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tokens": [1]}'])
def test_a_file_that_is_something_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """Text that is no such document gives an error with the path, never a traceback of the parser."""
    path = tmp_path / "vocab_tag.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=r"vocab_tag\.json"):
        Vocabulary.read(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    """So does a file that is not there."""
    with pytest.raises(ArtifactError, match=r"does not exist .*vocab_tag\.json"):
        Vocabulary.read(tmp_path / "vocab_tag.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_written_json_reads_back_equal(value: object) -> None:
    """Whatever JSON can hold is written so that it reads back equal."""
    assert json.loads(as_json(value)) == value


def test_not_a_number_is_never_written() -> None:
    """JSON has no NaN, and other languages' parsers stop at one."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"metric": float("nan")})


def test_times_are_written_in_utc() -> None:
    """A time is read back as the same moment."""
    data = DataFacts(cutoff=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), rows={}, content_hash="")
    assert json.loads(data.to_json())["cutoff"] == "2026-01-02T03:04:05.000006Z"

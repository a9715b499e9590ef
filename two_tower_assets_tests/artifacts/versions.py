"""Small model versions for tests: random towers in a made-up feature space, and all files of the contract."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from two_tower_assets.artifacts.embeddings import VideoInputs, write_video_embeddings
from two_tower_assets.artifacts.golden import golden_vectors
from two_tower_assets.artifacts.manifest import write_manifest
from two_tower_assets.artifacts.meta import DataFacts, model_meta
from two_tower_assets.artifacts.normalizer import normalizer
from two_tower_assets.artifacts.schema import feature_schema
from two_tower_assets.artifacts.user_tower import export_user_tower
from two_tower_assets.artifacts.vocabulary import vocabularies
from two_tower_assets.contract import ITEM_NUMERIC, USER_NUMERIC, Files
from two_tower_assets.evaluation.choices import Choices, LikeCalibration
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.settings import ModelSettings, Settings, TrainingSettings
from two_tower_assets.training.checkpoint import CheckpointFacts, save_checkpoint
from two_tower_assets.training.popularity import PopularityScale
from two_tower_assets.training.towers import TwoTower

CUTOFF = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VERSION = "20260301T123000Z-0123456"
CHOICES = Choices(
    steps=300,
    taste_weight=0.25,
    popularity_weight=0.1,
    fallback_half_life_days=30.0,
    rerank_strength=0.1,
    like_calibration=LikeCalibration(a=3.5, b=-0.25),
)
POPULARITY = PopularityScale(middle=0.5, step=2.0, newcomer=0.25)
SETTINGS = Settings(model=ModelSettings(hidden=(32,)))


def feature_space(tags: int = 40, performers: int = 10, videos: int = 0) -> FeatureSpace:
    """A space with names of several scripts; `like_count` is a constant feature, whose deviation counts as 1."""
    odd = ("日本語", "emoji 👩‍👩‍👧", 'quo"ted')
    scales = {name: Standard(float(i), 1.5 + i) for i, name in enumerate(USER_NUMERIC)}
    return FeatureSpace(
        tags=(*odd, *(f"tag {i}" for i in range(tags)))[:tags],
        performers=tuple(f"performer {i}" for i in range(performers)),
        user_numeric={**scales, "like_count": Standard(3.0, 1.0)},
        item_numeric={name: Standard(10.0 * i, 2.0 + i) for i, name in enumerate(ITEM_NUMERIC)},
        reference_released_at=datetime(2026, 2, 1, tzinfo=UTC),
        videos=tuple(video_id(i) for i in range(videos)),
    )


def video_id(number: int) -> str:
    """A UUID with letters in it."""
    return str(uuid.UUID(int=(number + 1) * 0x1357_9BDF_0246_8ACE_1357))


def towers(space: FeatureSpace, *, seed: int = 0, hidden: tuple[int, ...] = (32,)) -> TwoTower:
    """Random towers in evaluation mode."""
    torch.manual_seed(seed)
    settings = ModelSettings(hidden=hidden)
    return TwoTower(space.user_dim, space.item_dim, settings, videos=len(space.videos)).eval()


def items(space: FeatureSpace, videos: int, *, seed: int = 0) -> FeatureMatrix:
    """Random item features: three numerics, and five names of the bags a video."""
    random = np.random.default_rng(seed)
    names = min(5, space.bag_dim)
    columns = np.sort(random.random((videos, space.bag_dim)).argsort(axis=1)[:, :names], axis=1)
    return FeatureMatrix(
        ids=np.array([video_id(i) for i in range(videos)]),
        dense=random.normal(size=(videos, len(ITEM_NUMERIC))).astype(np.float32),
        offsets=np.arange(videos + 1, dtype=np.int64) * names,
        columns=columns.reshape(-1).astype(np.int32),
        values=np.full(videos * names, 1 / np.sqrt(max(names, 1)), np.float32),
        width=space.item_dim,
    )


def video_inputs(matrix: FeatureMatrix, space: FeatureSpace) -> VideoInputs:
    """Item features with places in the vocabulary and popularities spread from −1 to 1."""
    popularity = np.linspace(-1, 1, len(matrix)).astype(np.float32)
    return VideoInputs(matrix, video_slots(matrix.ids, space), popularity)


def facts(space: FeatureSpace, version: str, fingerprint: str = "f" * 64) -> CheckpointFacts:
    """What a trainer would say of the weights."""
    return CheckpointFacts(
        user_dim=space.user_dim,
        item_dim=space.item_dim,
        videos=len(space.videos),
        model=ModelSettings(hidden=(32,)),
        training=TrainingSettings(),
        steps=300,
        temperature=0.07,
        popularity=POPULARITY,
        fingerprint=fingerprint,
        model_version=version,
        trained_at=CUTOFF,
        commit=COMMIT,
    )


def make_version(
    artifacts: Path,
    version: str = VERSION,
    *,
    videos: int = 300,
    seed: int = 0,
    embeddings: bool = True,
    space: FeatureSpace | None = None,
) -> Path:
    """Write every file of a version into `artifacts/<version>/` and return that folder."""
    space, folder = space or feature_space(), artifacts / version
    model = towers(space, seed=seed)
    described = facts(space, version)
    save_checkpoint(folder / Files.TOWERS, model, described)
    export_user_tower(model.user, folder / Files.USER_TOWER)
    feature_schema(space).write(folder / Files.FEATURE_SCHEMA)
    normalizer(space).write(folder / Files.NORMALIZER)
    for name, vocabulary in vocabularies(space).items():
        vocabulary.write(folder / name)
    data = DataFacts(cutoff=CUTOFF, rows={"videos": videos}, content_hash="d" * 64, active_videos=videos)
    metrics = {"recall@200": 0.4}
    model_meta(described, space, data=data, settings=SETTINGS, metrics=metrics, choices=CHOICES).write(
        folder / Files.MODEL_META
    )
    golden_vectors(version, model.user, space, as_of=CUTOFF).write(folder / Files.GOLDEN_VECTORS)
    if embeddings:
        inputs = video_inputs(items(space, videos, seed=seed), space)
        write_video_embeddings(folder / Files.VIDEO_EMBEDDINGS, model.item, inputs, np.ones(videos, np.bool_))
    write_manifest(folder)
    return folder


def file_bytes(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

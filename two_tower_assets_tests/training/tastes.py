"""A small world with latent taste: each user likes the videos of one tag and nopes the others'."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import EvaluationSettings, ModelSettings, Settings, TrainingSettings
from two_tower_assets.training.data import TrainingData, training_data
from two_tower_assets.training.examples import find_examples
from two_tower_assets_tests.features.worlds import START, World, uid, world

TAGS = 4
SMALL = Settings(
    model=ModelSettings(hidden=(16,), heads=2),
    training=TrainingSettings(schedules=(40,), batch_size=32, validate_every=10, catalogue_negatives=16),
    evaluation=EvaluationSettings(ks=(5,), recent_days=(1,)),
)


def tastes(*, users: int = 40, videos: int = 80, decisions: int = 15, seed: int = 0) -> World:
    """Draw the world; times are spread so that most users have a past when a window begins."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for number, video in enumerate(rng.permutation(videos)[:decisions]):
            kind = "like" if video % TAGS == user % TAGS else "nope"
            rows.append((uid(user), uid(int(video)), kind, START + timedelta(hours=int(10 * number + user % 10))))
    items = [{"id": uid(video), "tags": [f"tag {video % TAGS}"]} for video in range(videos)]
    return world(items, rows, [(uid(user), START) for user in range(users)])


def data_of(place: World, folder: Path, before: datetime | None = None, *, full: World | None = None) -> TrainingData:
    """Training data of a world before a moment; the split comes from `full` when it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = find_examples(place.history, SMALL.evaluation)
    if full is not None:
        examples = type(examples)(examples.decision, find_examples(full.history, SMALL.evaluation).split)
    return training_data(place.snapshot(folder), place.history, examples, place.space(before=before), before=before)


def cut(place: World, name: str) -> datetime:
    """One of the split's moments."""
    return moment_of(getattr(find_examples(place.history, SMALL.evaluation).split, name))

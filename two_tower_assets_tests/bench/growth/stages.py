"""The stages as the pipeline runs them, from rows in a folder to a version's index, each returning what it worked on.

A stage reads what those before it left at its `Place`. Fits are of a fixed number of steps but for `one pass`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np

from two_tower_assets.artifacts.embeddings import VideoInputs, write_video_embeddings
from two_tower_assets.evaluation.baselines import BASELINES
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.contest import baseline_results
from two_tower_assets.evaluation.evaluate import Measured, evaluate
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.lazily import Lazily
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.report import FALLBACK, MODEL, Baseline
from two_tower_assets.evaluation.towers import rankings_of
from two_tower_assets.evaluation.trials import Trials, trials_of
from two_tower_assets.features.build import build_space
from two_tower_assets.features.history import History
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.stored import store_items, store_users, stored_items, stored_users
from two_tower_assets.features.users import users_of_blocks
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.publishing.staging import stage as stage_version
from two_tower_assets.settings import ReleaseSettings, Settings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import load as load_tables
from two_tower_assets.sources.snapshot import take_snapshot
from two_tower_assets.training.data import TrainingData, shipped_popularity, training_data
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import fit
from two_tower_assets_tests.artifacts.versions import make_version
from two_tower_assets_tests.bench.catalogue.folder import write_catalogue
from two_tower_assets_tests.bench.growth.place import Place
from two_tower_assets_tests.publishing.releasing import OLD, target_at

Work = Callable[[], int]
"""Does a stage and returns how many rows it worked on."""

STEPS: Final = 50
_BATCH: Final = 4096
_CHOICES: Final = Choices(
    steps=STEPS, taste_weight=0.25, popularity_weight=0.25, fallback_half_life_days=30.0, rerank_strength=0.1
)


def _catalogue(place: Place) -> int:
    return write_catalogue(place.rows, place.size)


def _load(place: Place) -> int:
    report = load_tables(place.url, read_folder(place.rows), source="growth")
    return report.row_counts["user_video_decisions"]


def _snapshot(place: Place) -> int:
    return take_snapshot(place.url, place.snapshots).tables["user_video_decisions"].rows


def _payloads(place: Place) -> int:
    place.features.mkdir(exist_ok=True)
    settings = Settings().features
    items = store_items(place.snapshot, place.url, place.features, settings)
    return items + store_users(place.snapshot, place.url, place.features, settings)


def _space(place: Place) -> int:
    history = History.from_snapshot(place.snapshot)
    space = build_space(place.snapshot, settings=Settings().features, history=history)
    place.features.mkdir(exist_ok=True)
    (place.features / "space.json").write_text(space.to_json(), encoding="utf-8")
    return len(history.time)


def _vectors(place: Place) -> int:
    space = place.space
    item_matrix(stored_items(place.features, place.snapshot), space).save(place.features / "items.safetensors")
    users = users_of_blocks(stored_users(place.features), as_of=place.snapshot.cutoff, space=space)
    users.save(place.features / "users.safetensors")
    return len(users)


def _examples(place: Place) -> int:
    """Every example's vector once, in batches and in no order, as training asks for them."""
    history = History.from_snapshot(place.snapshot)
    states = UserStates.from_snapshot(place.snapshot, history, place.space)
    chosen = np.random.default_rng(0).permutation(find_examples(history, Settings().evaluation).decision)
    for start in range(0, len(chosen), _BATCH):
        states.of_decisions(chosen[start : start + _BATCH])
    return len(chosen)


def _training(place: Place, *, steps: int | None) -> int:
    settings = Settings()
    data = _data(place)
    taken = steps or -(-len(data.likes) // settings.training.batch_size)
    fit(data, settings.model, settings.training, steps=taken)
    return taken * settings.training.batch_size


def _data(place: Place) -> TrainingData:
    history = History.from_snapshot(place.snapshot)
    return training_data(place.snapshot, history, find_examples(history, Settings().evaluation), place.space)


def _embeddings(place: Place) -> int:
    space, settings = place.space, Settings()
    items = FeatureMatrix.load(place.features / "items.safetensors")
    model = TwoTower(space.user_dim, space.item_dim, settings.model).eval()
    popularity = shipped_popularity(place.snapshot, _CHOICES.fallback_half_life_days)
    inputs = VideoInputs(items, video_slots(items.ids, space), popularity.value)
    return write_video_embeddings(
        place.features / "embeddings.parquet", model.item, inputs, np.ones(len(items), dtype=np.bool_)
    )


def _trials(place: Place) -> Trials:
    settings = Settings()
    return trials_of(place.snapshot.folder, settings.features, settings.evaluation, settings.resources)


def _two_tower(place: Place) -> int:
    """Fits before the test, per user and without new videos, and what they say to everybody asked."""
    trials = _trials(place)
    model = refit(trials.test.data, Settings(), _CHOICES).model
    return _keep(place, rankings_of(model, trials, _CHOICES, Settings()))


def _baseline(place: Place, *, name: str) -> int:
    """Tune, fit and ask, in every trial that the method can answer."""
    results = baseline_results(name, _trials(place))
    return _keep(place, {trial: {name: found.ranking} for trial, found in results.items() if found.ranking})


def _keep(place: Place, lists: Mapping[str, Mapping[str, Ranking]]) -> int:
    place.rankings.mkdir(exist_ok=True)
    for trial, methods in lists.items():
        for method, ranking in methods.items():
            ranking.save(place.rankings / f"{trial}.{method}.safetensors")
    return sum(len(ranking.top_UK) for methods in lists.values() for ranking in methods.values())


def _report(place: Place) -> int:
    """Metrics of all methods with their intervals."""
    trials = _trials(place)
    names = [MODEL, FALLBACK, *(method.name for method in BASELINES)]

    def measured(trial: str) -> Measured:
        files = {name: place.rankings / f"{trial}.{name}.safetensors" for name in names}
        return Measured(
            trials.asked[trial],
            {name: Ranking.load(path) for name, path in files.items() if path.exists()},
            {name: Baseline() for name in names if name not in (MODEL, FALLBACK)},
        )

    parts = Lazily({trial: partial(measured, trial) for trial in trials.asked})
    report = evaluate(parts, trials.videos, _CHOICES, Settings().evaluation, preset="content")
    return sum(group.users for trial in report.trials.values() for group in trial.groups.values())


def _publish(place: Place) -> Work:
    """COPY and index of a version with as many videos; the version is made before."""
    folder = make_version(place.folder / "artifacts", OLD, videos=place.size.videos)
    target = target_at(place.url, place.folder / "buckets")

    def work() -> int:
        stage_version(target, folder, settings=ReleaseSettings())
        return place.size.videos

    return work


def _whole(stage: Callable[[Place], int]) -> Callable[[Place], Work]:
    """A stage all of which is measured."""
    return lambda place: partial(stage, place)


STAGES: Final[Mapping[str, Callable[[Place], Work]]] = {
    "catalogue": _whole(_catalogue),
    "load": _whole(_load),
    "snapshot": _whole(_snapshot),
    "payloads": _whole(_payloads),
    "space": _whole(_space),
    "vectors": _whole(_vectors),
    "examples": _whole(_examples),
    f"training, {STEPS} steps": _whole(partial(_training, steps=STEPS)),
    "training, one pass": _whole(partial(_training, steps=None)),
    "embeddings": _whole(_embeddings),
    "two_tower": _whole(_two_tower),
    **{method.name: _whole(partial(_baseline, name=method.name)) for method in BASELINES},
    "report": _whole(_report),
    "publish": _publish,
}
"""In the order of the pipeline."""
